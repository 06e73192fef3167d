/**
 * A projector is ready when it can fold: PostgreSQL takes what a turn writes, as the role that turns have, and there are
 * definitions. Redis only hints at what is new: without it, a projection is up to a second late.
 */
import type { Broker } from '@sekali/broker/connect'
import { checkBroker } from '@sekali/broker/health'
import type { NotLoaded } from '@sekali/core/not-loaded'
import { asWarning, createLook, type Findings, failureOf, type Health } from '@sekali/process/health'
import type { Troubles } from '@sekali/process/troubles'
import type { Store } from '@sekali/store/connect'
import { checkTurns } from '@sekali/store/health'

interface HealthDeps {
  readonly broker: Broker
  readonly store: Store
  readonly troubles: Pick<Troubles<never>, 'lasting'>
  /** What cannot be loaded now. */
  readonly notLoaded: () => readonly NotLoaded[]
}

/** Returns a function that never rejects. */
export function createHealth({ broker, store, troubles, notLoaded }: HealthDeps): () => Promise<Health> {
  const lookAtBroker = createLook('Redis', () => checkBroker(broker))
  const lookAtStore = createLook('PostgreSQL', async () => ({
    problems: await checkTurns(store, 'projections'),
    warnings: [],
  }))
  return async () => {
    const [ofBroker, ofStore] = await Promise.all([lookAtBroker(), lookAtStore()])
    const health = { broker: asWarning(ofBroker), own: definitions(notLoaded()) }
    const failure = failureOf(troubles.lasting())
    if (failure === undefined || ofStore.state !== 'ok') return { ...health, store: ofStore }
    return { ...health, store: { ...ofStore, state: 'unfit', problems: [failure] } }
  }
}

/** A file that does not load keeps no other from being folded. The folder, or the process for definitions, does. */
function definitions(notLoaded: readonly NotLoaded[]): Findings {
  const all = notLoaded.filter(({ file }) => file === '.').map(({ message }) => message)
  const files = notLoaded.length - all.length
  return {
    problems: all,
    warnings:
      files === 0 ? [] : [`files of definitions that do not load: ${files}; sekali doctor names them`],
  }
}
