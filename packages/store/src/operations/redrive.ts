/**
 * Redrives: dead letters that are appended once more. They keep their event ids, so one that is appended twice is stored
 * once; and they are bounded by `asOf`, so that what becomes a dead letter meanwhile is not in it.
 */
import { parsePattern } from '@sekali/core/pattern'
import type { By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { whoOf, writing } from './functions.ts'
import type { RedriveFilter } from './operations.ts'

/** What a redrive would be about. */
export interface Matched {
  readonly matched: number
  readonly byReason: Readonly<Record<string, number>>
  /** The number of today's last entry of these topics; 0 if there is none. */
  readonly asOf: number
}

/** Counts the open letters that a redrive would be about. Stubs are not among them. Rejects with `StoreUnavailable`. */
export async function countRedrivable(store: Store, filter: RedriveFilter): Promise<Matched> {
  const { rows } = await store.pool
    .query<{ as_of: string; reason: string | null; count: string }>(
      `WITH last AS (SELECT ${lastOf('$2')} AS as_of)
       SELECT last.as_of, r.reason, count(r.id)
       FROM last LEFT JOIN LATERAL operations.redrivable($1, $2, 0, last.as_of) r ON true
       GROUP BY 1, 2 ORDER BY 2`,
      [filter, topicsOf(filter)],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'count of dead letters')
    })
  const counts = rows.flatMap(({ reason, count }) =>
    reason === null ? [] : [[reason, Number(count)] as const],
  )
  return {
    matched: counts.reduce((sum, [, count]) => sum + count, 0),
    byReason: Object.fromEntries(counts),
    asOf: Number(rows[0]?.as_of ?? 0),
  }
}

export interface RedriveStart {
  readonly filter: RedriveFilter
  readonly asOf: number
  /** How many letters it must be about. */
  readonly expect: number
  /** Letters a second. */
  readonly rate: number
}

export type RedriveStarted =
  | { readonly outcome: 'started'; readonly id: number }
  | { readonly outcome: 'count_changed'; readonly matched: number }
  /** As many run as may. */
  | { readonly outcome: 'too_many' }
  /** The key, or token, of who asks has been revoked or has expired. */
  | { readonly outcome: 'actor_ended' }

/** Begins a redrive, which a gateway then runs. Rejects with `StoreUnavailable`. */
export const startRedrive = (store: Store, start: RedriveStart, by: By): Promise<RedriveStarted> =>
  withTransaction(store, 'start of a redrive', async (tx) => {
    await writing(tx)
    const { filter, asOf, expect, rate } = start
    const { rows } = await tx.$client.query<{
      outcome: RedriveStarted['outcome']
      id: string
      matched: string
    }>(`SELECT * FROM operations.start_redrive($1, $2, least($3, ${lastOf('$2')}), $4, $5, $6, $7, $8)`, [
      filter,
      topicsOf(filter),
      asOf,
      expect,
      rate,
      ...whoOf(by),
      by.until?.toISOString() ?? null,
    ])
    const [row] = rows
    switch (row?.outcome) {
      case 'started':
        return { outcome: 'started', id: Number(row.id) }
      case 'count_changed':
        return { outcome: 'count_changed', matched: Number(row.matched) }
      default:
        return { outcome: row?.outcome ?? 'too_many' }
    }
  })

/** The number of the last entry of some topics, for PostgreSQL. Whoever sees these learns nothing of others by it. */
const lastOf = (topics: string): string =>
  `(SELECT coalesce(max(d.id), 0) FROM dead_letters d JOIN topics t ON t.id = d.topic_id WHERE t.name ~ ${topics})`

/** What a name of a topic must match, for PostgreSQL. */
export const topicsOf = ({ topic }: RedriveFilter): string => parsePattern(topic ?? '>').regExp.source
