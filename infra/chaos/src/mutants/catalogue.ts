// Where the code moves on, these texts move with it: test/mutants.test.ts fails when one does not apply any more.
import { bodyMutants } from './bodies.ts'
import { brokerMutants } from './broker.ts'
import { definitionMutants } from './definitions.ts'
import { doorMutants } from './doors.ts'
import { epochMutants } from './epochs.ts'
import { keyMutants } from './keys.ts'
import { letterMutants } from './letters.ts'
import { limitMutants } from './limits.ts'
import type { Mutant } from './mutant.ts'
import { pressureMutants } from './pressure.ts'
import { sessionMutants } from './sessions.ts'
import { shareMutants } from './shares.ts'
import { storeMutants } from './store.ts'
import { streamMutants } from './streams.ts'
import { turnMutants } from './turn.ts'

export const mutants: readonly Mutant[] = [
  ...turnMutants,
  ...brokerMutants,
  ...streamMutants,
  ...storeMutants,
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
]
