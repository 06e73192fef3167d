/**
 * Refuses what is too much before anything is lost: events of topics that have as much in flight as they may (429, the
 * others go on), and all events while Redis has little memory left, which consumers need to drain it (503).
 *
 * Both are known from looks (topic-loads.ts, memory-load.ts) on another connection than that of the appends. A gateway looks
 * as long as it takes events, refuses some, or knows of a topic with much in flight; an idle one does not. Who publishes
 * pays for an addition a call.
 */
import type { OnTaken } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import { readKeptBytes } from '@sekali/broker/keep'
import { readLoads, type StreamLoad } from '@sekali/broker/loads'
import type { RedisMemory } from '@sekali/broker/memory'
import { BacklogLimit, MemoryLimit } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import { type Accounted, readAccounted } from '@sekali/store/accounted'
import type { Store } from '@sekali/store/connect'
import { within } from '../clients/deadline.ts'
import { createFree } from './free.ts'
import { type PressureLimits, pressureLimits } from './limits.ts'
import { createMemoryLoad, type MemoryLoad } from './memory-load.ts'
import { createRounds } from './rounds.ts'
import { createTopicLoads, type TopicLoads } from './topic-loads.ts'

export interface PressureState {
  /** The topics that are refused. */
  readonly full: readonly TopicName[]
  /** Whether all events are refused. */
  readonly isShedding: boolean
  /** Per cent of what Redis may use; undefined if that has no limit, or is not known. */
  readonly memoryPercent: number | undefined
  /** Whether Redis says what streams weigh. */
  readonly isWeighed: boolean
  readonly limits: PressureLimits
}

export interface Pressure extends Disposable {
  /** Throws `MemoryLimit`, or `BacklogLimit` if one of the topics is full; then nothing may be published. */
  admit(events: readonly Pick<Event, 'topic'>[]): void
  readonly onTaken: OnTaken
  /** As this gateway knows it: others may have taken more since. */
  state(): PressureState
}

export interface PressureDeps {
  /** Not the one that appends. */
  readonly figuresBroker: Broker
  readonly store: Store
  readonly log: Logger
  readonly random?: () => number
}

const now = () => performance.now()

/** Between two looks, while events are taken or refused. */
const lookMs = 250
/** Until a look that is due, so that those of several topics are one. */
const soonMs = 20
/** Until the next look while Redis does not answer. */
const againMs = 1_000
/** PostgreSQL may be away: then it is not waited for. */
const storeMs = 500
/** Full topics that a refusal names. */
const namedMax = 100

export function createPressure(deps: PressureDeps, limits: PressureLimits = pressureLimits): Pressure {
  const { log, random = Math.random } = deps
  const topics = createTopicLoads(limits, log, now)
  const memory = createMemoryLoad(limits, log, now)
  const look = createLook(deps, topics, memory, createFree(deps, limits.shedUntil))
  const rounds = createRounds(async () => {
    const { costMs, isAnswered } = await look()
    if (topics.isDue() || memory.isShedding()) rounds.ask(isAnswered ? lookMs : againMs)
    return costMs
  }, now)

  return {
    admit(events) {
      if (memory.isShedding()) throw new MemoryLimit(memory.waitSeconds(random))
      if (topics.full.size === 0) return
      const full = new Set(events.map(({ topic }) => topic).filter((topic) => topics.full.has(topic)))
      if (full.size === 0) return
      const waits = [...full].map((topic) => topics.waitSeconds(topic, random))
      throw new BacklogLimit([...full].slice(0, namedMax), Math.max(...waits))
    },

    onTaken(topic, events, chars) {
      const isTopicDue = topics.onTaken(topic, events, chars)
      const isMemoryDue = memory.onTaken(chars)
      if (isTopicDue || isMemoryDue) rounds.ask(soonMs)
      else if (!rounds.isAsked()) rounds.ask(lookMs)
    },

    state: () => ({
      full: [...topics.full.keys()],
      isShedding: memory.isShedding(),
      memoryPercent: memory.usedPercent(),
      isWeighed: topics.isWeighed(),
      limits,
    }),

    [Symbol.dispose]: () => rounds[Symbol.dispose](),
  }
}

/** A look at Redis's memory and at the topics that are due. */
function createLook(
  { figuresBroker, store, log }: PressureDeps,
  topics: TopicLoads,
  memory: MemoryLoad,
  readFreed: () => Promise<RedisMemory>,
) {
  const readAccounts = createAccountReads(store, log)
  return async (): Promise<{ readonly costMs: number; readonly isAnswered: boolean }> => {
    const names = topics.begin()
    // PostgreSQL before Redis: the other way round, what comes in between would be accounted for and never added.
    const accounts = await readAccounts(names)
    const looked = topics.ask(names)
    memory.begin()
    const [used, loads, kept] = await Promise.allSettled([
      readFreed(),
      readLoads(figuresBroker, names),
      readKeptBytes(figuresBroker, names),
    ])
    if (used.status === 'fulfilled') memory.learn(used.value)
    if (loads.status === 'rejected' || kept.status === 'rejected') {
      topics.postpone(names)
      return { costMs: 0, isAnswered: false }
    }
    for (const one of looked) {
      const account = accounts && (accounts.get(one.topic) ?? null)
      const stream = loads.value.get(one.topic)
      topics.learn(one, { stream, keptBytes: kept.value.get(one.topic) ?? 0, account })
    }
    return { costMs: costMsOf([...loads.value.values()]), isAnswered: true }
  }
}

/** About how long a look keeps Redis from others: by the clock one could not tell that from a busy machine. */
const costMsOf = (loads: readonly StreamLoad[]): number =>
  loads.reduce((ms, { bytes }) => ms + streamMs + (bytes ?? 0) * byteMs, 0)
const streamMs = 0.02
/** 256 MiB in 55,000 nodes took 2.6 ms. */
const byteMs = 1e-8

/** Reads accounts one query at a time: while one hangs, another would take one more of the pool's connections. */
function createAccountReads(store: Store, log: Logger) {
  let isReading = false
  return async (topics: readonly TopicName[]): Promise<Map<TopicName, Accounted> | undefined> => {
    if (topics.length === 0 || isReading) return undefined
    isReading = true
    const reading = readAccounted(store, topics).finally(() => {
      isReading = false
    })
    return await within(storeMs, log, reading)
  }
}
