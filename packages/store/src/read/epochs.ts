/**
 * Whether a reader may go on from where it stands, or a restore has taken away what it has read; see core/log/fork.ts. It
 * must be decided in the statement that reads the events: between two of them PostgreSQL may be put back to an earlier
 * state, and then the events after a place are others than the place is of.
 */
import type { Bound } from '@sekali/core/bound'
import { formatBound, isOfTopics } from '@sekali/core/bound'
import { CursorAhead, LogRestored, StoreUnavailable } from '@sekali/core/errors'
import { type EpochPlace, type Fork, forkBefore } from '@sekali/core/fork'
import type { SQL } from 'drizzle-orm'
import { sql } from '../postgres/drizzle.ts'
import { forks } from '../postgres/schema.ts'
import { utc } from '../postgres/time.ts'

/** A topic that was asked for. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly head: number
  readonly epoch: number
  readonly forks: readonly Fork[]
}

/** The forks of the topic `t`, for {@link forksIn}: null as long as it is in its first epoch. */
export const forksColumn = sql`CASE WHEN t.epoch > 1 THEN (
  SELECT json_agg(json_build_array(f.epoch, f.forked_at, f.at::text)) FROM ${forks} f WHERE f.topic_id = t.id
) END`

export const forksIn = (column: readonly (readonly [number, number, string])[] | null): Fork[] =>
  (column ?? []).map(([epoch, forkedAt, at]) => ({ epoch, forkedAt, at: utc(at) }))

/** Of the topic `t`: whether {@link requireGood} finds nothing wrong with these places. */
export const isGood = (places: readonly (EpochPlace | undefined)[]): SQL => {
  const conditions = places.flatMap((place) => (place === undefined ? [] : [isGoodPlace(place)]))
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` AND `)
}

const isGoodPlace = ({
  epoch,
  seq,
}: EpochPlace): SQL => sql`(t.epoch = ${epoch} OR t.epoch > ${epoch} AND NOT EXISTS (
  SELECT FROM ${forks} f WHERE f.topic_id = t.id AND f.epoch > ${epoch} AND f.forked_at < ${seq}::bigint
))`

/** The place at which a query that ends before `bound` has read on to, if it goes down. */
export const placeBefore = ({ epoch, seq }: EpochPlace): EpochPlace => ({ epoch, seq: Math.max(0, seq - 1) })

/**
 * Throws `LogRestored` when a bound of a query lies beyond a fork, and `CursorAhead` when it is of an epoch that has not
 * begun. What lies beyond the end of the log is neither: the log may have to be rebuilt up to there, as after a failover
 * to a standby that was behind.
 */
export function requireGood(bound: Bound, asked: readonly Asked[], isEnd: boolean): void {
  const refused = new Map<number | string, readonly [Asked, Fork]>()
  for (const [key, topic, place] of placesOf(bound, asked)) {
    if (place.epoch > (topic?.epoch ?? 1)) {
      throw new CursorAhead(`a cursor is of epoch ${place.epoch}, which has not begun`)
    }
    const fork = topic && forkBefore(topic.forks, isEnd ? placeBefore(place) : place)
    if (topic && fork) refused.set(key, [topic, fork])
  }
  const [first] = refused.values()
  if (first === undefined) return
  const [{ name, epoch }, { forkedAt, at }] = first
  const cursor = formatBound(setBack(bound, refused, isEnd))
  const message = `${name} was restored: it forks at ${forkedAt}`
  throw new LogRestored({ topic: name, epoch, forkedAt, restoredAt: at, cursor }, message)
}

type Placed = readonly [key: number | string, topic: Asked | undefined, place: EpochPlace]

function placesOf(bound: Bound, asked: readonly Asked[]): readonly Placed[] {
  if (!isOfTopics(bound)) return [['', asked[0], bound]]
  const byKey = new Map<number | string, Asked>()
  for (const topic of asked) byKey.set(topic.id, topic).set(topic.name, topic)
  const places: ReadonlyMap<number | string, EpochPlace> = bound
  return [...places].map(([key, place]) => [key, byKey.get(key), place])
}

/** The bound, with what was refused where the log has forked, in the current epoch. */
function setBack(
  bound: Bound,
  refused: ReadonlyMap<number | string, readonly [Asked, Fork]>,
  isEnd: boolean,
): Bound {
  const backTo = ([{ epoch }, { forkedAt }]: readonly [Asked, Fork]) => ({
    epoch,
    seq: isEnd ? forkedAt + 1 : forkedAt,
  })
  if (!isOfTopics(bound)) return [...refused.values()].map(backTo)[0] ?? bound
  const places: ReadonlyMap<number | string, EpochPlace> = bound
  return new Map([...places, ...[...refused].map(([key, one]) => [key, backTo(one)] as const)]) as Bound
}

/**
 * Throws when the log does not come as far as the bound of a query, so that it could pass over what it lacks. Of a topic
 * that is not there it has nothing.
 */
export function requireReached(bound: Bound, asked: readonly Asked[], isEnd: boolean): void {
  for (const [, topic, { seq }] of placesOf(bound, asked))
    requireUpTo(isEnd ? seq - 1 : seq, topic?.head ?? 0)
}

/** Throws when the log no longer has all up to where it once ended: what follows would look like all there is. */
export function requireUpTo(end: number, head: number): void {
  if (head < end)
    throw new StoreUnavailable('the log is shorter than it was: PostgreSQL is in an earlier state')
}
