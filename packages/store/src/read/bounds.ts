import { badBound } from '@sekali/core/bound'
import type { Cursor } from '@sekali/core/cursor'
import { CursorAhead, InvalidParameters } from '@sekali/core/errors'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'

/** Which topics, and from where to where. */
export interface Scope {
  readonly topics: TopicPattern
  /**
   * Only events after, and before, these bounds. A topic that is missing in `after` is read from its beginning. One that
   * is missing in `before` is excluded if the bound is an id cursor: the topic is newer than the cursor. If the bound
   * is a list of names, which is a client's own, the topic is read to its end.
   */
  readonly after?: Bound
  readonly before?: Bound
}

/** A seq, for what is one topic; or a seq for each topic, by its id or its name. */
export type Bound = number | Cursor | ReadonlyMap<string, number>

/** A topic that was asked for. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly head: number
}

/**
 * Refuses bounds that the log does not have, or has in other topics than those that were asked for. Taken as a beginning
 * they would repeat everything; taken as they are they would skip what is still to come. It reads from PostgreSQL only
 * when an id is not among `asked`. Rejects with `CursorAhead`, `InvalidParameters` or
 * `StoreUnavailable`.
 */
export async function checkBounds(
  store: Store,
  asked: readonly Asked[],
  { after, before }: Pick<Scope, 'after' | 'before'>,
): Promise<void> {
  const ids = new Set(asked.map(({ id }) => id))
  for (const [parameter, bound] of [['after', after] as const, ['before', before] as const]) {
    const others = idsIn(bound).filter((id) => !ids.has(id))
    if (others.length === 0) continue
    if (await isAnyTopic(store, others)) throw new InvalidParameters([badBound(parameter, true)])
    throw new CursorAhead(`${parameter} names a topic that is not there`)
  }
  if (isAhead(after, asked)) throw new CursorAhead('after is behind the end of the log')
}

/** Whether there is a topic of one of these ids. Rejects with `StoreUnavailable`. */
export async function isAnyTopic(store: Store, ids: readonly number[]): Promise<boolean> {
  const { rows } = await store.db
    .execute(sql`SELECT FROM ${topics} WHERE id = ANY (${sql.param(ids)}::int[]) LIMIT 1`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'scan for topics')
    })
  return rows.length > 0
}

const idsIn = (bound: Bound | undefined): number[] =>
  typeof bound === 'object' ? [...bound.keys()].filter((key) => typeof key === 'number') : []

function isAhead(after: Bound | undefined, asked: readonly Asked[]): boolean {
  if (after === undefined) return false
  if (typeof after === 'number') return after > (asked[0]?.head ?? 0)
  const heads = new Map<number | string, number>()
  for (const { id, name, head } of asked) heads.set(id, head).set(name, head)
  const bounds: ReadonlyMap<number | string, number> = after
  return [...bounds].some(([topic, seq]) => seq > (heads.get(topic) ?? 0))
}

/** The seq that bounds a topic; `undefined` where none does. */
export function boundIn(bound: Bound | undefined, topicId: number, topic: string): number | undefined {
  if (typeof bound !== 'object') return bound
  const bounds: ReadonlyMap<number | string, number> = bound
  return bounds.get(topicId) ?? bounds.get(topic)
}
