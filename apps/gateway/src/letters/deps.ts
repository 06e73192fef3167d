import type { Appender } from '@sekali/broker/append'
import type { Store } from '@sekali/store/connect'
import type { Clients } from '../clients/clients.ts'
import type { Pressure } from '../pressure/pressure.ts'
import type { SubscriptionDeps } from '../subscriptions/deps.ts'
import type { Runner } from './runner.ts'

export interface LetterDeps {
  readonly store: Store
  readonly clients: Clients
  readonly appender: Pick<Appender, 'append'>
  readonly pressure: Pick<Pressure, 'admit'>
  readonly subscriptions: SubscriptionDeps['subscriptions']
  readonly runner: Pick<Runner, 'kick'>
}
