/**
 * POST /subscriptions/{name}/test: a sample is sent, and the answer shows what came back. A gateway calls nobody outside: it
 * leaves the request in PostgreSQL, a dispatcher sends it, and the gateway looks until it finds what came of it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { askTest, readTest } from '@sekali/store/push-tests'
import type { Context } from 'hono'
import { byOf } from '../../access/by.ts'
import { problem } from '../../http/problem.ts'
import { reply } from '../../http/reply.ts'
import type { Handler } from '../../http/router.ts'
import type { SubscriptionDeps } from '../deps.ts'
import { watchStay } from '../stay.ts'
import { allowedPush, refusalOf } from './only-push.ts'
import { shownAttempt } from './shown.ts'

type Deps = Pick<
  SubscriptionDeps,
  'store' | 'subscriptions' | 'clients' | 'webhooks' | 'slots' | 'signal' | 'random'
>

/** Between two looks. */
const lookMs = 200
/** Until a dispatcher has seen it, and has written what came back. */
const usualDispatcherMs = 5_000

/** It waits for as long as an endpoint takes, and holds no connection of PostgreSQL meanwhile. */
export function test(deps: Deps): Handler {
  const { store, clients, slots, webhooks } = deps
  const { dispatcherMs = usualDispatcherMs } = webhooks
  return async (c) => {
    const asked = await slots.run(c, async () => {
      const pushed = await allowedPush(deps, c)
      if (pushed instanceof Response) return pushed
      const { name } = pushed.subscription
      const test = await askTest(store, name, byOf(c.env?.incoming, clients))
      if (test.outcome === 'too_many') return problem('too_many_tests')
      if (test.outcome !== 'asked') return refusalOf(deps, c, name, test.outcome)
      return { id: test.id, ms: pushed.endpoint.timeoutSeconds * 1_000 + dispatcherMs }
    })
    return asked instanceof Response ? asked : await answered(deps, c, asked)
  }
}

async function answered(
  { store, slots, signal, random }: Deps,
  c: Context,
  { id, ms }: { readonly id: number; readonly ms: number },
): Promise<Response> {
  using stay = watchStay(c)
  const over = AbortSignal.any([stay.signal, signal, AbortSignal.timeout(ms)])
  while (!over.aborted) {
    const found = await slots.run(c, () => readTest(store, id))
    if (found === 'unknown') break // its subscription was deleted
    if (found !== 'waiting') return reply(200, JSON.stringify(shownAttempt(found)))
    await pause(lookMs, undefined, { signal: over }).catch(() => undefined)
  }
  return problem('no_dispatcher', { random })
}
