/**
 * What is in flight of each topic, and which topics are full.
 *
 * What a look finds is exact: Redis says how many entries were ever added to the stream and what it weighs, PostgreSQL how
 * many are accounted for. Between looks a gateway adds what it has appended itself. It looks again whenever that is a
 * sixty-fourth of a bound. So its own appends never pass a bound unseen, and those of each other gateway may by a
 * sixty-fourth; on top of that comes what is under way. A topic that a look has found more than a quarter full is looked at
 * until it is drained, though nothing comes any more: otherwise what comes after a while would be refused for what is long
 * stored.
 *
 * While PostgreSQL is away no position moves, so what it said last stays exact. A gateway that has never heard it counts
 * what came since its own first look.
 */
import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import { createHolds } from './holds.ts'
import { type Amount, type Bounds, type Found, isDue, isWatched, type Load, learn, newLoad } from './load.ts'

/** Topics that are remembered, about 20 MB. Those looked at longest ago are forgotten, and then looked at as new ones. */
const topicsMax = 100_000

/** Between two looks at topics to which nothing comes. */
const watchMs = 1_000

/** A topic that Redis is being asked for, and what was taken of it before. */
interface Looked {
  readonly topic: TopicName
  readonly before: Readonly<Amount>
}

export interface TopicLoads {
  /** The topics that take no events. */
  readonly full: ReadonlyMap<TopicName, unknown>
  /** This gateway has brought events to Redis. Returns whether it is time to look. */
  onTaken(topic: TopicName, events: number, bytes: number): boolean
  /** The topics to look at now. */
  begin(): TopicName[]
  /** Redis is about to be asked for them: what is taken from now on it may not tell of, or count as well. */
  ask(topics: readonly TopicName[]): Looked[]
  learn(looked: Looked, found: Found): void
  /** Nothing was found. */
  postpone(topics: readonly TopicName[]): void
  /** Whether Redis says what streams weigh. */
  isWeighed(): boolean
  /** Whether a look is due. */
  isDue(): boolean
  /** After how long a full topic should have room. */
  waitSeconds(topic: TopicName, random: () => number): number
}

export function createTopicLoads(bounds: Bounds, log: Logger, now: () => number): TopicLoads {
  const loads = new Map<TopicName, Load>()
  const holds = createHolds(bounds, log, now)
  const due = new Set<TopicName>()
  /** Looked at though nothing comes, but not as often. */
  const watched = new Set<TopicName>()
  let watchedAt = Number.NEGATIVE_INFINITY
  let isWeighed = true

  function remember(topic: TopicName): Load {
    const load = newLoad()
    loads.set(topic, load)
    if (loads.size > topicsMax) {
      const oldest = loads.keys().find((one) => !holds.topics.has(one))
      if (oldest !== undefined) loads.delete(oldest)
    }
    return load
  }

  return {
    full: holds.topics,

    onTaken(topic, events, bytes) {
      const load = loads.get(topic) ?? remember(topic)
      load.taken.events += events
      load.taken.bytes += bytes
      if (!isDue(load)) return false
      due.add(topic)
      holds.guess(topic, load)
      return true
    },

    begin() {
      const topics = new Set([...holds.topics.keys(), ...due])
      due.clear()
      if (now() - watchedAt >= watchMs) {
        watchedAt = now()
        for (const topic of watched) topics.add(topic)
      }
      return [...topics]
    },

    ask: (topics) =>
      topics.map((topic) => ({ topic, before: { ...(loads.get(topic) ?? remember(topic)).taken } })),

    learn({ topic, before }, found) {
      const load = loads.get(topic)
      if (load === undefined) return
      learn(load, before, found, bounds)
      loads.delete(topic) // so that it comes last
      loads.set(topic, load)
      holds.judge(topic, load)
      const isTold = found.stream === undefined || found.stream.entriesAdded !== null
      if (isTold && isWatched(load, bounds)) watched.add(topic)
      else watched.delete(topic)
      if (found.stream) isWeighed = found.stream.bytes !== null || found.stream.entriesAdded === null
    },

    postpone(topics) {
      for (const topic of topics) due.add(topic)
    },

    isWeighed: () => isWeighed,
    isDue: () => holds.topics.size + due.size + watched.size > 0,

    waitSeconds(topic, random) {
      const load = loads.get(topic)
      return load === undefined ? 0 : holds.waitSeconds(topic, load, random)
    },
  }
}
