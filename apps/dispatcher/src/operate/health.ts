/**
 * A dispatcher is ready when it can be handed events: PostgreSQL lets it take turns. Redis only hints at what is new: without it,
 * a delivery is up to a second late.
 */
import type { Broker } from '@sekali/broker/connect'
import { checkBroker } from '@sekali/broker/health'
import { asWarning, createLook, type Health } from '@sekali/process/health'
import type { Store } from '@sekali/store/connect'
import { checkTurns } from '@sekali/store/health'

/** Returns a function that never rejects. */
export function createHealth(broker: Broker, store: Store): () => Promise<Health> {
  const lookAtBroker = createLook('Redis', () => checkBroker(broker))
  const lookAtStore = createLook('PostgreSQL', async () => ({
    problems: await checkTurns(store, 'deliveries'),
    warnings: [],
  }))
  return async () => {
    const [ofBroker, ofStore] = await Promise.all([lookAtBroker(), lookAtStore()])
    return { broker: asWarning(ofBroker), store: ofStore }
  }
}
