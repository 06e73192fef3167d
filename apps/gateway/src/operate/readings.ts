import type { Broker } from '@sekali/broker/connect'
import { type Presence, readConsumers } from '@sekali/broker/presence'
import { readStreams, type StreamFigures } from '@sekali/broker/streams'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readTopics } from '@sekali/store/topics'
import { within } from '../clients/deadline.ts'
import { shareReadings } from '../clients/single-flight.ts'
import { type Combined, combineInPortions } from './figures.ts'

/** What was read of both servers at one time; what could not be read is null or undefined. */
export interface Reading extends Combined {
  readonly consumers: readonly Presence[] | undefined
  readonly streams: ReadonlyMap<string, StreamFigures> | undefined
}

export interface Readings {
  /** A reading that begins after this call; all who call before it begins share it. Never rejects. */
  read(): Promise<Reading>
  /** The last one, while it is kept: so the pages of one listing are of one moment. */
  kept(): Reading | undefined
}

export interface ReadingDeps {
  /** A connection of its own: what is slow or given up here must not hold up appends. */
  readonly figuresBroker: Broker
  readonly store: Store
  readonly log: Logger
}

const keptMs = 5_000

/** Each call gives up a silent Redis after a second. But reading thousands of streams takes longer on a busy machine. */
const streamsMs = 5_000

/** The figures of all topics, read for `/stats` and `/doctor` together. `readMs` bounds what is one call. */
export function createReadings({ figuresBroker, store, log }: ReadingDeps, readMs = 1_500): Readings {
  let kept: Reading | undefined
  let forgetting: NodeJS.Timeout | undefined

  async function read(): Promise<Reading> {
    const presence = within(readMs, log, readConsumers(figuresBroker))
    // PostgreSQL before Redis: figures.ts says why.
    const rows = await within(readMs, log, readTopics(store))
    const names = rows?.map(({ topic }) => topic)
    const streams = await within(streamsMs, log, readStreams(figuresBroker, names))
    kept = { ...(await combineInPortions(rows, streams)), consumers: await presence, streams }
    clearTimeout(forgetting)
    forgetting = setTimeout(() => {
      kept = undefined
    }, keptMs).unref()
    return kept
  }

  return { read: shareReadings(read), kept: () => kept }
}
