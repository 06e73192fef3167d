import { readOldest } from '@sekali/broker/backlog'
import { readClock } from '@sekali/broker/clock'
import type { Broker } from '@sekali/broker/connect'
import { origin, type Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readHeads } from '@sekali/store/heads'
import { within } from '../clients/deadline.ts'
import type { TopicFigures } from './figures.ts'

/**
 * When the first entry in flight of each topic was accepted, in milliseconds since 1970 by Redis's clock; absent if none
 * is there. Rejects with `BrokerUnavailable` or `StoreUnavailable`.
 */
export async function readOldestOf(
  broker: Broker,
  store: Store,
  topics: readonly string[],
): Promise<Map<string, number>> {
  const heads = await readHeads(store, topics)
  const positionOf = new Map<string, Position>(heads.map(({ topic, position }) => [topic, position]))
  return await readOldest(
    broker,
    topics.map((topic) => ({ topic, position: positionOf.get(topic) ?? origin })),
  )
}

/** Since when the first entry in flight of each topic waits, and what time it is; undefined if it could not be read. */
export interface Waits {
  readonly oldest: ReadonlyMap<string, number> | undefined
  /** By Redis's clock, too. */
  readonly nowMs: number | undefined
}

interface WaitsDeps {
  readonly figuresBroker: Broker
  readonly store: Store
  readonly log: Logger
}

/** Of the topics that have something in flight; if none has, nobody is asked. Never rejects. */
export async function readWaits(
  { figuresBroker, store, log }: WaitsDeps,
  topics: readonly TopicFigures[],
  readMs: number,
): Promise<Waits> {
  const waiting = topics.filter(({ inFlight }) => inFlight !== null && inFlight > 0)
  if (waiting.length === 0) return { oldest: new Map(), nowMs: 0 }
  const names = waiting.map(({ topic }) => topic)
  const [oldest, nowMs] = await Promise.all([
    within(readMs, log, readOldestOf(figuresBroker, store, names)),
    within(readMs, log, readClock(figuresBroker)),
  ])
  return { oldest, nowMs }
}

/** For how many seconds the first entry in flight of a topic has waited: 0 if none is, null if that is not known. */
export function waitOf({ topic, inFlight }: TopicFigures, { oldest, nowMs }: Waits): number | null {
  if (inFlight === null || oldest === undefined || nowMs === undefined) return null
  const sinceMs = oldest.get(topic)
  return sinceMs === undefined ? 0 : Math.max(0, nowMs - sinceMs) / 1_000
}

/** The longest of some topics; null if it is unknown of any, because that one may be it. */
export function longestWait(topics: readonly TopicFigures[], waits: Waits): number | null {
  let longest = 0
  for (const topic of topics) {
    const seconds = waitOf(topic, waits)
    if (seconds === null) return null
    longest = Math.max(longest, seconds)
  }
  return longest
}
