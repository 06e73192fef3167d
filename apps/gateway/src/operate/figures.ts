/**
 * Joins what the two stores know into the figures of promise 7:
 * accepted = stored + duplicates + conflicts + dead + lost + in flight, of each topic and in total.
 *
 * PostgreSQL counts what was accounted for, Redis what was appended; the difference is in flight. That holds only
 * within one incarnation of a stream, which the name of its group identifies. And PostgreSQL must be read first: the
 * other way round, an entry that comes and is stored in between would be accounted for but never appended.
 * A server that did not answer is `undefined`; the figures that need it are then null, and never 0.
 */
import { setImmediate } from 'node:timers/promises'
import type { StreamFigures } from '@sekali/broker/streams'
import { type Outcomes, outcomesOf, sum } from '@sekali/core/figures'
import type { TopicFigures as StoreFigures } from '@sekali/store/topics'

export interface Figures extends Outcomes<number | null> {
  readonly accepted: number | null
  readonly inFlight: number | null
}

export interface TopicFigures extends Figures {
  readonly topic: string
  readonly headSeq: number | null
  /** The epoch of its log, if that is above the first. */
  readonly epoch?: number
  /** When Redis was last found to have lost data of the topic (UTC). */
  readonly lossAt: string | null
}

type Rows = readonly StoreFigures[] | undefined
type Streams = ReadonlyMap<string, StreamFigures> | undefined

export interface Combined {
  readonly totals: Figures
  /** In the order of their names. */
  readonly topics: readonly TopicFigures[] | null
}

export const combineFigures = (rows: Rows, streams: Streams): Combined =>
  addedUp([...figuresOf(rows, streams)], rows, streams)

/** Between two portions the event loop serves others: 26,000 topics are 70 ms of work. */
const topicsPerPortion = 500

/** The same, without holding others up. */
export async function combineInPortions(rows: Rows, streams: Streams): Promise<Combined> {
  const topics: TopicFigures[] = []
  for (const topic of figuresOf(rows, streams)) {
    topics.push(topic)
    if (topics.length % topicsPerPortion === 0) await setImmediate()
  }
  await setImmediate()
  return addedUp(topics, rows, streams)
}

function* figuresOf(rows: Rows, streams: Streams): Generator<TopicFigures> {
  const rowOf = new Map<string, StoreFigures>(rows?.map((row) => [row.topic, row]))
  const names = [...new Set([...rowOf.keys(), ...(streams?.keys() ?? [])])].sort()
  for (const topic of names) {
    const row = rowOf.get(topic) ?? (rows && noTurnYet)
    yield topicFigures(
      topic,
      streams ? withLost(row, streams.get(topic)) : row,
      streams && inFlightOf(row, streams.get(topic)),
    )
  }
}

function addedUp(topics: readonly TopicFigures[], rows: Rows, streams: Streams): Combined {
  const known = rows !== undefined || streams !== undefined
  return {
    totals: totalsOf(topics, rows !== undefined, streams !== undefined),
    topics: known ? topics : null,
  }
}

type Row = Omit<StoreFigures, 'topic'>

/** A stream that no consumer has seen yet has no row. */
const noTurnYet: Row = {
  group: null,
  accounted: 0,
  ...outcomesOf(() => 0),
  seen: 0,
  lossAt: null,
  headSeq: 0,
  epoch: 1,
}

function topicFigures(topic: string, row: Row | undefined, inFlight: number | null = null): TopicFigures {
  const outcomes = outcomesOf((name) => row?.[name] ?? null)
  const accepted = sum([...Object.values(outcomes), inFlight])
  const { headSeq = null, lossAt = null, epoch = 1 } = row ?? {}
  return { topic, accepted, ...outcomes, inFlight, headSeq, lossAt, ...(epoch > 1 && { epoch }) }
}

/** When a stream is gone, so is what was seen in it and not accounted for. A consumer will count that as lost, too. */
function withLost(row: Row | undefined, stream: StreamFigures | undefined): Row | undefined {
  const isThere = row === undefined || stream?.group === null || stream?.group === row.group
  return isThere ? row : { ...row, lost: row.lost + Math.max(0, row.seen - row.accounted) }
}

function inFlightOf(row: Row | undefined, stream: StreamFigures | undefined): number | null {
  if (row === undefined) return null
  if (stream === undefined) return 0
  if (stream.entriesAdded === null) return null
  // A stream is born with its group. One that lost it is the one we know: consumers make the group again, as it was.
  const isKnown = stream.group === null || stream.group === row.group
  const accounted = isKnown ? row.accounted : 0
  // Less than nothing is impossible: the two readings are of different moments, and so give no figure.
  return stream.entriesAdded < accounted ? null : stream.entriesAdded - accounted
}

/** The sums over topics. */
export function totalsOf(
  topics: readonly TopicFigures[],
  storeKnown: boolean,
  brokerKnown: boolean,
): Figures {
  const total = (of: (topic: TopicFigures) => number | null) => (storeKnown ? sum(topics.map(of)) : null)
  return {
    accepted: brokerKnown ? total((topic) => topic.accepted) : null,
    ...outcomesOf((name) => total((topic) => topic[name])),
    inFlight: brokerKnown ? total((topic) => topic.inFlight) : null,
  }
}
