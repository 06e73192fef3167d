import type { RouteId } from '@sekali/api/routes'
import type { Route } from '../http/router.ts'
import type { SubscriptionDeps } from './deps.ts'
import { list, pause, remove, resume, seek, show } from './manage.ts'
import { pull } from './pull.ts'
import { attempts } from './push/attempts.ts'
import { retry } from './push/retry.ts'
import { remove as removeSecret, rotate } from './push/secrets.ts'
import { test } from './push/test.ts'
import { put } from './put.ts'
import { settle } from './settle.ts'

/** A thousand items with a token of some 60 characters, and with reasons a part of them. */
const settleBytesMax = 256 * 1024

type PushRoute = 'testEndpoint' | 'listAttempts' | 'retryDelivery' | 'rotateSecret' | 'deleteSecret'
type SubscriptionRoute = Extract<RouteId, `${string}Subscription${string}` | 'pull' | 'settle' | PushRoute>

/** All about subscriptions. A pull may wait for long, so it takes its share of PostgreSQL by itself, and counts its answer. */
export function subscriptionHandlersOf(
  deps: SubscriptionDeps,
): Record<SubscriptionRoute, Pick<Route, 'handler' | 'bodyBytesMax'>> {
  const { counted } = deps.responses
  const { slotted } = deps.slots
  return {
    listSubscriptions: { handler: counted(slotted(list(deps))) },
    readSubscription: { handler: slotted(show(deps)) },
    putSubscription: { handler: slotted(put(deps)) },
    pauseSubscription: { handler: slotted(pause(deps)) },
    resumeSubscription: { handler: slotted(resume(deps)) },
    seekSubscription: { handler: slotted(seek(deps)) },
    deleteSubscription: { handler: slotted(remove(deps)) },
    pull: { handler: pull(deps) },
    testEndpoint: { handler: test(deps) },
    listAttempts: { handler: counted(slotted(attempts(deps))) },
    retryDelivery: { handler: slotted(retry(deps)) },
    rotateSecret: { handler: slotted(rotate(deps)) },
    deleteSecret: { handler: slotted(removeSecret(deps)) },
    settle: { handler: counted(settle(deps)), bodyBytesMax: settleBytesMax },
  }
}
