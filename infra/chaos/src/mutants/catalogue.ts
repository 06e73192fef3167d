// Where the code moves on, these texts move with it: test/mutants.test.ts fails when one does not apply any more.
import { bodyMutants } from './bodies.ts'
import { brokerMutants } from './broker.ts'
import { definitionMutants } from './definitions.ts'
import { doorMutants } from './doors.ts'
import { epochMutants } from './epochs.ts'
import { eventKeyMutants } from './event-keys.ts'
import { failoverMutants } from './failover.ts'
import { keyMutants } from './keys.ts'
import { letterMutants } from './letters.ts'
import { limitMutants } from './limits.ts'
import type { Mutant } from './mutant.ts'
import { pressureMutants } from './pressure.ts'
import { sessionMutants } from './sessions.ts'
import { shareMutants } from './shares.ts'
import { sharingMutants } from './sharing.ts'
import { storeMutants } from './store.ts'
import { streamMutants } from './streams.ts'
import { subscriptionMutants } from './subscriptions.ts'
import { turnMutants } from './turn.ts'
import { webhookMutants } from './webhooks.ts'

export const mutants: readonly Mutant[] = [
  ...turnMutants,
  ...sharingMutants,
  ...brokerMutants,
  ...streamMutants,
  ...storeMutants,
  ...eventKeyMutants,
  ...failoverMutants,
  ...doorMutants,
  ...bodyMutants,
  ...limitMutants,
  ...pressureMutants,
  ...sessionMutants,
  ...shareMutants,
  ...definitionMutants,
  ...keyMutants,
  ...letterMutants,
  ...epochMutants,
  ...subscriptionMutants,
  ...webhookMutants,
]
