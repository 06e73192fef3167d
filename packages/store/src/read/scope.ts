import type { Cursor } from '@sekali/core/cursor'
import { TooManyTopics } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'
import { boundIn, checkBounds, type Scope } from './bounds.ts'

/** What is left to scan of a topic: the seqs from `low` to `high`; `keys` are found and not taken. */
export interface Scan {
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
 * will have, by their ids. Rejects like {@link openScans}.
 */
export async function readEnds(store: Store, scope: Scope): Promise<Cursor> {
  const scans = await openScans(store, scope)
  return new Map(scans.map(({ topicId, high }) => [topicId, high + 1]))
}

/**
 * A scan for each topic of a pattern, with all of it left. Rejects with `TooManyTopics`, `CursorAhead`,
 * `InvalidParameters` or `StoreUnavailable`.
 */
export async function openScans(store: Store, scope: Scope): Promise<Scan[]> {
  const { topics: pattern, after, before } = scope
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
  await checkBounds(store, asked, scope)
  const isByName = typeof before === 'object' && typeof before.keys().next().value === 'string'
  const unnamed = isByName ? Infinity : 0
  return asked.map(({ id, name, head }) => ({
    topicId: id,
    topic: name,
    low: (boundIn(after, id, name) ?? 0) + 1,
    // What is committed after this moment is for the next page.
    high: Math.min(head, before === undefined ? Infinity : (boundIn(before, id, name) ?? unnamed) - 1),
    keys: [],
  }))
}
