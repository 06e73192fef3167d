// What is published, decided by the seed alone, so that ours and its rival get events of the same kind and size.
//
// Event ids are random UUIDs: they hit the unique index all over, which is what most publishers do to it and the
// hardest case. Which sendings are repeats is drawn without replacement: their number is exact. A repeat is the same
// event again, from anywhere in what has been sent.
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

export interface Workload {
  /** Another seed means other events. */
  readonly seed: number
  readonly events: number
  /** Share of the events that repeat an earlier one. */
  readonly duplicates: number
  readonly topics: readonly string[]
  /** The first `topics` of the topics get `share` of the events. */
  readonly hot?: { readonly topics: number; readonly share: number }
  /** Random UUIDs unless given. */
  readonly ids?: IdKind
}

/**
 * Random UUIDs hit the index of ids all over. Those of version 7, and numbers, come in order, after those of `fill.ts`; other
 * seeds' come later.
 */
export type IdKind = 'random' | 'v7' | 'sequential'

/** What events of one seed have at most, so that the next one's ids come later. */
const perSeed = 1_000_000
/** The ids of what a log is filled with have numbers below. */
const filledMax = 100_000_000
/** Of the first number's UUID of version 7; an id of each topic comes every millisecond. */
export const firstIdMs = Date.UTC(2025, 0, 1)

export interface BenchEvent {
  readonly topic: string
  readonly eventId: string
  readonly timestamp: string
  readonly source: string
  /** JSON text. */
  readonly payload: string
}

export const reportTopics = ['payment', 'order', 'user-login', 'sensor-suhu', 'notifikasi'] as const

export const repeatsOf = ({ events, duplicates }: Workload): number => Math.round(events * duplicates)

export function* eventsOf(workload: Workload): Generator<BenchEvent, void> {
  const { seed, events } = workload
  const random = xoroshiro128plus(seed)
  const repeats = repeatsOf(workload)
  const originals: BenchEvent[] = []
  for (let sent = 0; sent < events; sent++) {
    const originalsLeft = events - repeats - originals.length
    // The first has nothing to repeat.
    const isRepeat = sent > 0 && uniformInt(random, 1, events - sent) > originalsLeft
    if (isRepeat) {
      yield originals[uniformInt(random, 0, originals.length - 1)] as BenchEvent
    } else {
      const event = newEvent(random, workload, originals.length)
      originals.push(event)
      yield event
    }
  }
}

/** The body of a publish. */
export const toJson = ({ topic, eventId, timestamp, source, payload }: BenchEvent): string =>
  `{"topic":"${topic}","event_id":"${eventId}","timestamp":"${timestamp}","source":"${source}","payload":${payload}}`

const newYear2025Ms = Date.UTC(2025, 0, 1)

function newEvent(random: RandomGenerator, workload: Workload, number: number): BenchEvent {
  const { topics, hot } = workload
  const isHot = hot !== undefined && uniformInt(random, 0, 9_999) < hot.share * 10_000
  const [first, last] = isHot ? [0, hot.topics - 1] : [hot?.topics ?? 0, topics.length - 1]
  const topic = topics[uniformInt(random, first, last)] as string
  const amount = uniformInt(random, 10, 5_000) * 1_000
  const sku = uniformInt(random, 1, 500)
  return {
    topic,
    eventId: newId(random, workload, number),
    timestamp: `${new Date(newYear2025Ms + number * 7).toISOString().slice(0, 23)}123+00:00`,
    source: `node-${String(1 + (number % 20)).padStart(2, '0')}`,
    payload:
      `{"source_seq":${number},"order_id":"ORD-${uniformInt(random, 100_000, 999_999)}","amount":${amount},` +
      `"currency":"IDR","items":[{"sku":"SKU-${sku}","quantity":${1 + (sku % 5)}}],"express":${sku % 4 === 0}}`,
  }
}

function newId(random: RandomGenerator, { seed, ids = 'random' }: Workload, number: number): string {
  const later = filledMax + seed * perSeed + number
  if (ids === 'sequential') return `event-${later}`
  return uuid(random, ids === 'v7' ? firstIdMs + later : undefined)
}

/** Of version 4, or of version 7 if it has a time. */
function uuid(random: RandomGenerator, ms?: number): string {
  const word = () => (random.next() >>> 0).toString(16).padStart(8, '0')
  const hex = word() + word() + word() + word()
  const time = ms?.toString(16).padStart(12, '0')
  if (time !== undefined) {
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
