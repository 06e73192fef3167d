import type { StoredEvent } from '@sekali/core/event'
import type { EpochPlace } from '@sekali/core/fork'
import type { Store } from '../postgres/connect.ts'
import { readEnds } from './scope.ts'
import { type Search, searchEvents } from './search.ts'
import { readTopic } from './topic.ts'

export interface Replay extends Omit<Search, 'limit' | 'bytesMax'> {
  /** Events at most; all of them unless given. */
  readonly limit?: number
}

/** The next events of a replay; it may have none although more follow. */
export interface Part {
  readonly events: StoredEvent[]
  /** What is left of the replay behind the first `taken` of the events; undefined if nothing is. */
  rest(taken: number): Replay | undefined
}

/** The same replay, ending where its topics are at this moment. Rejects like `openScans`. */
export async function boundReplay(store: Store, replay: Replay): Promise<Replay> {
  const ends = await readEnds(store, replay)
  const before = isPlain(replay) ? (ends.values().next().value ?? { epoch: 1, seq: 1 }) : ends
  return { ...replay, before, isToTheEnd: true }
}

/** Events of a part, whatever its bytes. */
const partEventsMax = 1_000

/**
 * The first part of a replay: payloads of up to `bytesMax`, or one event. What was not taken of it can be
 * read again: the log does not change, or it rejects. Rejects like `openScans`.
 */
export async function readPart(store: Store, replay: Replay, bytesMax: number): Promise<Part> {
  const { order, limit: left = Number.POSITIVE_INFINITY } = replay
  const limit = Math.min(left, partEventsMax)
  const { events, boundAfter } = isPlain(replay)
    ? await readPlain(store, replay, limit, bytesMax)
    : await readFound(store, replay, limit, bytesMax)
  return {
    events,
    rest(taken) {
      const bound = taken === left ? undefined : boundAfter(taken)
      if (bound === undefined) return undefined
      return { ...replay, limit: left - taken, [order === 'asc' ? 'after' : 'before']: bound }
    },
  }
}

const isPlain = ({ topics, source, from, to }: Replay): boolean =>
  !topics.isPattern && source === undefined && from === undefined && to === undefined

/** What is one topic and all of its events needs no search. */
async function readPlain(store: Store, replay: Replay, limit: number, bytesMax: number) {
  const { topics, order, isToTheEnd = false, mustReach = false, ...bounds } = replay
  const { after = beginning, before } = bounds as {
    readonly after?: EpochPlace
    readonly before?: EpochPlace
  }
  const query = { topic: topics.text, order, after, limit, bytesMax, isToTheEnd, mustReach }
  const { events, more } = await readTopic(store, { ...query, ...(before && { before }) })
  const boundAfter = (taken: number) =>
    taken === events.length && !more
      ? undefined
      : (placeOf(events[taken - 1]) ?? (order === 'asc' ? after : before))
  return { events, boundAfter }
}

const beginning: EpochPlace = { epoch: 1, seq: 0 }

const placeOf = (event: StoredEvent | undefined): EpochPlace | undefined =>
  event && { epoch: event.epoch ?? 1, seq: event.seq }

async function readFound(store: Store, replay: Replay, limit: number, bytesMax: number) {
  const { events, nextAfter } = await searchEvents(store, { ...replay, limit, bytesMax })
  return { events, boundAfter: nextAfter }
}
