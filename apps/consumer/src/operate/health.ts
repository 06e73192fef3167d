/**
 * A consumer is ready when it can store: Redis answers and is a primary, and PostgreSQL takes what a turn writes, as the
 * role that turns have. That is tried, because settings and rights would only let one guess.
 */
import type { Broker } from '@sekali/broker/connect'
import { checkBroker } from '@sekali/broker/health'
import { createLook, failureOf, type Health } from '@sekali/process/health'
import type { Troubles } from '@sekali/process/troubles'
import type { Store } from '@sekali/store/connect'
import { checkTurns, findWeakSettings } from '@sekali/store/health'

interface HealthDeps {
  readonly broker: Broker
  readonly store: Store
  readonly troubles: Pick<Troubles<never>, 'lasting'>
}

/** Returns a function that never rejects. */
export function createHealth({ broker, store, troubles }: HealthDeps): () => Promise<Health> {
  const lookAtBroker = createLook('Redis', () => checkBroker(broker))
  const lookAtStore = createLook('PostgreSQL', async () => ({
    problems: await checkTurns(store, 'log'),
    warnings: await findWeakSettings(store),
  }))
  return async () => {
    const [ofBroker, ofStore] = await Promise.all([lookAtBroker(), lookAtStore()])
    const failure = failureOf(troubles.lasting())
    if (failure === undefined || ofStore.state !== 'ok') return { broker: ofBroker, store: ofStore }
    return { broker: ofBroker, store: { ...ofStore, state: 'unfit', problems: [failure] } }
  }
}
