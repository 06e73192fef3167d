import { CursorAhead, ForeignCursor } from '@sekali/core/errors'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'
import type { Place, Stretch } from './scope.ts'

/** A topic that was asked for. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly head: number
}

/**
 * Refuses places that the log does not have, or has in other topics than those that were asked for: taken as
 * a beginning they would repeat everything, and taken as they are they would skip what is still to come. It
 * asks PostgreSQL only when an id is not among `asked`. Rejects with `CursorAhead`, `ForeignCursor` or
 * `StoreUnavailable`.
 */
export async function checkPlaces(
  store: Store,
  asked: readonly Asked[],
  { after, before }: Pick<Stretch, 'after' | 'before'>,
): Promise<void> {
  const ids = new Set(asked.map(({ id }) => id))
  for (const [parameter, place] of [['after', after] as const, ['before', before] as const]) {
    const others = idsIn(place).filter((id) => !ids.has(id))
    if (others.length === 0) continue
    if (await isAnyTopic(store, others)) throw new ForeignCursor(parameter)
    throw new CursorAhead(`${parameter} names a topic that is not there`)
  }
  if (isAhead(after, asked)) throw new CursorAhead('after is behind the end of the log')
}

/** Whether there is a topic of one of these ids. Rejects with `StoreUnavailable`. */
export async function isAnyTopic(store: Store, ids: readonly number[]): Promise<boolean> {
  const { rows } = await store.db
    .execute(sql`SELECT FROM ${topics} WHERE id = ANY (${sql.param(ids)}::int[]) LIMIT 1`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'look for topics')
    })
  return rows.length > 0
}

const idsIn = (place: Place | undefined): number[] =>
  typeof place === 'object' ? [...place.keys()].filter((key) => typeof key === 'number') : []

function isAhead(after: Place | undefined, asked: readonly Asked[]): boolean {
  if (after === undefined) return false
  if (typeof after === 'number') return after > (asked[0]?.head ?? 0)
  const heads = new Map<number | string, number>()
  for (const { id, name, head } of asked) heads.set(id, head).set(name, head)
  const places: ReadonlyMap<number | string, number> = after
  return [...places].some(([topic, seq]) => seq > (heads.get(topic) ?? 0))
}
