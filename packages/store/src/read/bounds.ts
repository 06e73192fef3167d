import { type Bound, badBound, isOfTopics } from '@sekali/core/bound'
import { CursorAhead, InvalidParameters } from '@sekali/core/errors'
import type { EpochPlace } from '@sekali/core/fork'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'
import { type Asked, requireGood, requireReached, requireUpTo } from './epochs.ts'

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
  /** Whether `before` is where the log has ended once, so that it must have all up to there. */
  readonly isToTheEnd?: boolean
  /** Whether the log must come as far as both bounds: a standby that lags would pass over what it lacks. */
  readonly mustReach?: boolean
}

/**
 * Refuses bounds that the log does not have, or no longer, or has in other topics than those that were asked for. Taken as
 * a beginning they would repeat everything; taken as they are they would skip what is still to come. It reads from
 * PostgreSQL only when an id is not among `asked`. Rejects with `LogRestored`, `CursorAhead`, `InvalidParameters` or
 * `StoreUnavailable`.
 */
export async function checkBounds(
  store: Store,
  asked: readonly Asked[],
  { after, before, isToTheEnd = false, mustReach = false }: Omit<Scope, 'topics'>,
): Promise<void> {
  const ids = new Set(asked.map(({ id }) => id))
  for (const [parameter, bound] of [['after', after] as const, ['before', before] as const]) {
    if (bound === undefined) continue
    const others = idsIn(bound).filter((id) => !ids.has(id))
    if (others.length > 0) {
      if (await isAnyTopic(store, others)) throw new InvalidParameters([badBound(parameter, true)])
      throw new CursorAhead(`${parameter} names a topic that is not there`)
    }
    requireGood(bound, asked, parameter === 'before')
    if (mustReach) requireReached(bound, asked, parameter === 'before')
  }
  if (!isToTheEnd) return
  for (const { id, name, head } of asked) requireUpTo((boundIn(before, id, name) ?? 1) - 1, head)
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

const idsIn = (bound: Bound): number[] =>
  isOfTopics(bound) ? [...bound.keys()].filter((key) => typeof key === 'number') : []

/** The seq that bounds a topic; `undefined` where none does. */
export function boundIn(bound: Bound | undefined, topicId: number, topic: string): number | undefined {
  if (bound === undefined || !isOfTopics(bound)) return bound?.seq
  const bounds: ReadonlyMap<number | string, EpochPlace> = bound
  return (bounds.get(topicId) ?? bounds.get(topic))?.seq
}
