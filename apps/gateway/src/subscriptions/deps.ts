import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Clients } from '../clients/clients.ts'
import type { Responses } from '../http/responses.ts'
import type { StoreSlots } from '../read/store-slots.ts'
import type { Connections } from '../sockets/connections.ts'
import type { KnownSubscriptions } from './known.ts'
import type { Pulls } from './pulls.ts'
import type { Webhooks } from './push/webhooks.ts'
import type { Settles } from './settles.ts'

export interface SubscriptionDeps {
  readonly store: Store
  readonly subscriptions: {
    readonly known: KnownSubscriptions
    readonly pulls: Pulls
    readonly settles: Settles
    /** For what workers do. */
    readonly slots: StoreSlots
  }
  readonly webhooks: Webhooks
  readonly clients: Clients
  readonly connections: Pick<Connections, 'becomeTail'>
  readonly responses: Responses
  readonly slots: StoreSlots
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly random: () => number
}
