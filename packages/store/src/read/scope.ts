import { isOfTopics } from '@sekali/core/bound'
import type { Cursor } from '@sekali/core/cursor'
import { TooManyTopics } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'
import { boundIn, checkBounds, type Scope } from './bounds.ts'
import { forksColumn, forksIn } from './epochs.ts'

/** What is left to scan of a topic: the seqs from `low` to `high`; `keys` are found and not taken. */
export interface Scan {
  readonly topicId: number
  readonly topic: string
  /** Of its log, when the scan began. */
  readonly epoch: number
  low: number
  high: number
  keys: Key[]
}

export interface Key {
  readonly seq: number
  readonly storedAt: string
}

/**
 * Where the topics of a pattern end at this moment, or at `before` if that comes first: the places that their next events
 * will have, by their ids. Rejects like {@link openScans}.
 */
export async function readEnds(store: Store, scope: Scope): Promise<Cursor> {
  const scans = await openScans(store, scope)
  return new Map(scans.map(({ topicId, epoch, high }) => [topicId, { epoch, seq: high + 1 }]))
}

/**
 * A scan for each topic of a pattern, with all of it left. Rejects with `TooManyTopics`, `LogRestored`,
 * `CursorAhead`, `InvalidParameters` or `StoreUnavailable`.
 */
export async function openScans(store: Store, scope: Scope): Promise<Scan[]> {
  const { topics: pattern, after, before } = scope
  const named = pattern.isPattern ? sql`name ~ ${pattern.regExp.source}` : sql`name = ${pattern.text}`
  const { rows } = await store.db
    .execute<TopicRow>(
      sql`SELECT id, name, head, epoch, ${forksColumn} AS forks FROM ${topics} t WHERE ${named}
        LIMIT ${limits.patternTopicsMax + 1}`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'search of topics')
    })
  if (rows.length > limits.patternTopicsMax) {
    throw new TooManyTopics(`the pattern matches more than ${limits.patternTopicsMax} topics`)
  }
  const asked = rows.map((row) => ({ ...row, head: Number(row.head), forks: forksIn(row.forks) }))
  await checkBounds(store, asked, scope)
  const isByName =
    before !== undefined && isOfTopics(before) && typeof before.keys().next().value === 'string'
  const unnamed = isByName ? Infinity : 0
  return asked.map(({ id, name, head, epoch }) => ({
    topicId: id,
    topic: name,
    epoch,
    low: (boundIn(after, id, name) ?? 0) + 1,
    // What is committed after this moment is for the next page.
    high: Math.min(head, before === undefined ? Infinity : (boundIn(before, id, name) ?? unnamed) - 1),
    keys: [],
  }))
}

// A type and not an interface, because execute() asks for an index signature.
type TopicRow = {
  id: number
  name: string
  head: string
  epoch: number
  forks: Parameters<typeof forksIn>[0]
}
