/**
 * Whether this gateway can take events, and what is in its way, in words that say what to do.
 *
 * Two connections decide: the one that appends must be there, and on the other it is tried whether Redis takes writes;
 * a trial that has to be given up takes its connection down, and must not take that of the appends. What is wrong is
 * said in the log when it begins, not each time that somebody asks.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '@sekali/broker/connect'
import { type BrokerHealth, checkWritable } from '@sekali/broker/health'
import { sentenceOf, troubleOf } from '@sekali/core/trouble'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { checkStore } from '@sekali/store/health'
import { within } from '../clients/deadline.ts'

export interface ReadinessDeps {
  readonly broker: Broker
  readonly figuresBroker: Broker
  readonly store: Store
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

/**
 * Each server is asked once in so long, however many ask here: the trial is a write to Redis's disk, and PostgreSQL's
 * connections are for others.
 */
const askEveryMs = 1_000

export function createReadiness(deps: ReadinessDeps, checkMs = 1_500, everyMs = askEveryMs): Readiness {
  const { broker, figuresBroker, store, log } = deps
  const say = createSayer(log)
  let trial: { readonly outcome: Promise<Trial>; readonly atMs: number } | undefined
  let look: Promise<readonly string[] | string> | undefined

  async function tryBroker(): Promise<Trial> {
    let failure: unknown
    const health = await within(checkMs, log, checkWritable(figuresBroker), (error) => {
      failure = error
    })
    return health ?? sentenceOf(troubleOf('Redis', failure))
  }

  function lookAtBroker(): Promise<Trial> {
    const nowMs = performance.now()
    const isFresh = trial !== undefined && nowMs - trial.atMs < everyMs
    if (trial === undefined || !isFresh || !isConnected(figuresBroker)) {
      trial = { outcome: tryBroker(), atMs: nowMs }
    }
    return trial.outcome
  }

  async function askStore(): Promise<readonly string[] | string> {
    let failure: unknown
    const findings = await within(checkMs, log, checkStore(store), (error) => {
      failure = error
    })
    return findings ?? sentenceOf(troubleOf('PostgreSQL', failure))
  }

  /** One at a time, however many ask. Not kept: PostgreSQL may be gone the moment after. */
  function lookAtStore(): Promise<readonly string[] | string> {
    look ??= askStore().finally(() => {
      look = undefined
    })
    return look
  }

  return {
    async check() {
      const [tried, ofStore] = await Promise.all([lookAtBroker(), lookAtStore()])
      // The connection that appends: after the trial, which it may have taken a moment to come back.
      const outcome = isConnected(broker) ? tried : away(broker, tried)
      const ofBroker = typeof outcome === 'string' ? undefined : outcome
      const problems = typeof outcome === 'string' ? [outcome] : outcome.problems
      const storeTexts = typeof ofStore === 'string' ? [ofStore] : ofStore
      say({ problems: ofBroker?.problems ?? [], warnings: ofBroker?.warnings ?? [], ofStore: storeTexts })
      return {
        broker: ofBroker === undefined ? 'unavailable' : problems.length === 0 ? 'ok' : 'unfit',
        store: typeof ofStore === 'string' ? 'unavailable' : ofStore.length === 0 ? 'ok' : 'unfit',
        problems,
        warnings: [...(ofBroker?.warnings ?? []), ...storeTexts],
      }
    },
  }
}

/** What the trial came to; a text is why there was none. */
type Trial = BrokerHealth | string

const isConnected = ({ redis }: Broker): boolean => redis.status === 'ready'

const away = (broker: Broker, tried: Trial): string =>
  typeof tried === 'string' ? tried : sentenceOf(troubleOf('Redis', broker.lost()))

interface Texts {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly ofStore: readonly string[]
}

/** Says what has not been said since it was last well. That Redis is away, its connection says itself. */
function createSayer(log: Logger) {
  let said = new Set<string>()
  return ({ problems, warnings, ofStore }: Texts) => {
    const fresh = (text: string) => !said.has(text)
    for (const text of problems.filter(fresh)) log.error(`redis: ${text}`)
    for (const text of warnings.filter(fresh)) log.warn(`redis: ${text}`)
    for (const text of ofStore.filter(fresh)) log.warn(`postgres: ${text}`)
    said = new Set([...problems, ...warnings, ...ofStore])
  }
}

const watchMs = 5_000

/** Looks now and then, so that the log says what is wrong also where nobody asks. Never rejects. */
export async function watchReadiness(readiness: Readiness, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await readiness.check()
    await sleep(watchMs, undefined, { signal, ref: false }).catch(() => undefined) // only the signal rejects it
  }
}
