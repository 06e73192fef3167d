/**
 * Checks whether this gateway can take events, and what is in its way, in words that name the remedy.
 *
 * Two connections decide: the one that appends must be there, and on the other it is tried whether Redis takes writes.
 * A trial that is given up takes its connection down, and must not take that of the appends. The log gets a problem when
 * it begins, not with every check.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '@sekali/broker/connect'
import { sentenceOf, troubleOf } from '@sekali/core/trouble'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Pressure } from '../pressure/pressure.ts'
import { standbyWarnings } from '../standby/finding.ts'
import type { Standby } from '../standby/standby.ts'
import { pressureWarnings } from './pressure-findings.ts'
import { type BrokerTrial, createBrokerTrials, createStoreTrials, isConnected } from './trials.ts'

export interface ReadinessDeps {
  readonly broker: Broker
  readonly figuresBroker: Broker
  readonly store: Store
  /** What is refused because too much is in flight: nothing is wrong with this gateway then, so it stays ready. */
  readonly pressure?: Pick<Pressure, 'state'>
  readonly standby?: Pick<Standby, 'state'> | undefined
  /** Whether nobody can be let in, where keys are asked for. */
  readonly isBlind?: (() => boolean) | undefined
  readonly log: Logger
}

interface Fitness {
  readonly broker: 'ok' | 'unfit' | 'unavailable'
  readonly store: 'ok' | 'unfit' | 'unavailable'
  /** What keeps events from being taken: while there is any, the gateway is not ready. */
  readonly problems: readonly string[]
  /** What weakens a promise, or keeps events from being stored. */
  readonly warnings: readonly string[]
}

export interface Readiness {
  /** Never rejects. */
  check(): Promise<Fitness>
}

/** Between two trials of Redis. */
const tryEveryMs = 1_000

export function createReadiness(deps: ReadinessDeps, checkMs = 1_500, everyMs = tryEveryMs): Readiness {
  const { broker, figuresBroker, store, pressure, standby, isBlind, log } = deps
  const tryBroker = createBrokerTrials(figuresBroker, log, { checkMs, everyMs })
  const tryStore = createStoreTrials(store, figuresBroker, log, checkMs)
  const report = createReporter(log)
  return {
    async check() {
      const [tried, ofStore] = await Promise.all([tryBroker(), tryStore()])
      // Looked at after the trial: the connection that appends may have come back meanwhile.
      const outcome = isConnected(broker) ? tried : away(broker, tried)
      const ofBroker = typeof outcome === 'string' ? undefined : outcome
      const brokerProblems = typeof outcome === 'string' ? [outcome] : outcome.problems
      const storeTexts = typeof ofStore === 'string' ? [ofStore] : ofStore
      const warnings = ofBroker?.warnings ?? []
      // Where it was tried is for who reads the log: the answer goes to anybody.
      const ofStoreSaid = storeTexts.map((text) =>
        typeof ofStore === 'string' ? `${text}. ${store.tried}` : text,
      )
      report({ problems: ofBroker?.problems ?? [], warnings, ofStore: ofStoreSaid })
      const ofKeys = isBlind?.() === true ? [blind] : []
      return {
        broker: ofBroker === undefined ? 'unavailable' : brokerProblems.length === 0 ? 'ok' : 'unfit',
        store: typeof ofStore === 'string' ? 'unavailable' : ofStore.length === 0 ? 'ok' : 'unfit',
        problems: [...brokerProblems, ...ofKeys],
        warnings: [
          ...warnings,
          ...storeTexts,
          ...standbyWarnings(standby),
          ...(pressure ? pressureWarnings(pressure.state()) : []),
        ],
      }
    },
  }
}

/** The log has it already that PostgreSQL is away. */
const blind =
  'No key can be checked: PostgreSQL has confirmed none since this gateway started, or for ten minutes'

const away = (broker: Broker, tried: BrokerTrial): string =>
  typeof tried === 'string' ? tried : sentenceOf(troubleOf('Redis', broker.lost()))

interface Texts {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly ofStore: readonly string[]
}

/** Logs each text when it is new since the last check. That Redis is away, its connection logs itself. */
function createReporter(log: Logger) {
  let reported = new Set<string>()
  return ({ problems, warnings, ofStore }: Texts) => {
    const isNew = (text: string) => !reported.has(text)
    for (const text of problems.filter(isNew)) log.error(`redis: ${text}`)
    for (const text of warnings.filter(isNew)) log.warn(`redis: ${text}`)
    for (const text of ofStore.filter(isNew)) log.warn(`postgres: ${text}`)
    reported = new Set([...problems, ...warnings, ...ofStore])
  }
}

const watchMs = 5_000

/** Checks now and then, so that a problem is logged also where nobody calls /readyz. Never rejects. */
export async function watchReadiness(readiness: Readiness, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await readiness.check()
    await sleep(watchMs, undefined, { signal, ref: false }).catch(() => undefined) // only the signal rejects it
  }
}
