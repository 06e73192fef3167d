/** Makes what a process has for subscriptions, and joins it. */
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Clients } from '../clients/clients.ts'
import type { Heads } from '../heads/heads.ts'
import { createWorkSlots, type StoreSlots } from '../read/store-slots.ts'
import { createKnownSubscriptions, type KnownSubscriptions } from './known.ts'
import type { LineTimes } from './line.ts'
import { createLooks } from './looks.ts'
import { createPulls, type Pulls } from './pulls.ts'
import { createSettles, type Settles } from './settles.ts'
import { createTurns } from './turns.ts'

export interface Subscriptions extends AsyncDisposable {
  readonly known: KnownSubscriptions
  readonly pulls: Pulls
  readonly settles: Settles
  readonly slots: StoreSlots
  /** Sees from now on to what has to be done where nothing is pulled. */
  start(): void
}

export interface SubscriptionsDeps {
  readonly clients: Clients
  readonly heads: Heads
  readonly store: Store
  readonly log: Logger
  readonly signal: AbortSignal
}

export function wireSubscriptions(deps: SubscriptionsDeps, times?: LineTimes): Subscriptions {
  const known = createKnownSubscriptions(deps.store)
  const slots = createWorkSlots(deps.clients)
  const turns = createTurns()
  const settles = createSettles({ store: deps.store, turns, slots })
  const pulls = createPulls({ ...deps, turns, settles }, times)
  const looks = createLooks(deps)
  return {
    known,
    pulls,
    settles,
    slots,
    start: looks.start,
    async [Symbol.asyncDispose]() {
      await looks[Symbol.asyncDispose]()
      await pulls[Symbol.asyncDispose]()
    },
  }
}
