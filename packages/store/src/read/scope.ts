import type { Cursor } from '@sekali/core/cursor'
import { TooManyTopics } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'
import { checkPlaces } from './bounds.ts'

/** Which topics, and from where to where. */
export interface Stretch {
  readonly topics: TopicPattern
  /**
   * Only events after, and before, these places. A topic that is missing in `after` is read from its beginning; one
   * that is missing in `before` is left out if that is by id, because it is younger than the cursor. Names are a
   * client's own: one that it does not name is read to its end.
   */
  readonly after?: Place
  readonly before?: Place
}

/** A seq, for what is one topic; or a seq for each topic, by its id or its name. */
export type Place = number | Cursor | ReadonlyMap<string, number>

/** What is left of a topic: the seqs from `low` to `high` have not been looked at, `keys` are found and not taken. */
export interface Lane {
  readonly topicId: number
  readonly topic: string
  low: number
  high: number
  keys: Key[]
}

export interface Key {
  readonly seq: number
  readonly storedAt: string
}

/**
 * Where the topics of a pattern end at this moment, or at `before` if that comes first: the seq that their next events
 * will have, by their ids. Rejects like {@link openLanes}.
 */
export async function readEnds(store: Store, stretch: Stretch): Promise<Cursor> {
  const lanes = await openLanes(store, stretch)
  return new Map(lanes.map(({ topicId, high }) => [topicId, high + 1]))
}

/**
 * The topics of a pattern, each with all of its stretch left. Rejects with `TooManyTopics`, `CursorAhead`,
 * `ForeignCursor` or `StoreUnavailable`.
 */
export async function openLanes(store: Store, stretch: Stretch): Promise<Lane[]> {
  const { topics: pattern, after, before } = stretch
  const named = pattern.isPattern ? sql`name ~ ${pattern.regExp.source}` : sql`name = ${pattern.text}`
  const { rows } = await store.db
    .execute<{ id: number; name: string; head: string }>(
      sql`SELECT id, name, head FROM ${topics} WHERE ${named} LIMIT ${limits.patternTopicsMax + 1}`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'search of topics')
    })
  if (rows.length > limits.patternTopicsMax) {
    throw new TooManyTopics(`the pattern matches more than ${limits.patternTopicsMax} topics`)
  }
  const asked = rows.map((row) => ({ ...row, head: Number(row.head) }))
  await checkPlaces(store, asked, stretch)
  const isByName = typeof before === 'object' && typeof before.keys().next().value === 'string'
  const unnamed = isByName ? Infinity : 0
  return asked.map(({ id, name, head }) => ({
    topicId: id,
    topic: name,
    low: (placeIn(after, id, name) ?? 0) + 1,
    // What is committed after this moment is for the next page.
    high: Math.min(head, before === undefined ? Infinity : (placeIn(before, id, name) ?? unnamed) - 1),
    keys: [],
  }))
}

function placeIn(place: Place | undefined, topicId: number, topic: string): number | undefined {
  if (typeof place !== 'object') return place
  const places: ReadonlyMap<number | string, number> = place
  return places.get(topicId) ?? places.get(topic)
}
