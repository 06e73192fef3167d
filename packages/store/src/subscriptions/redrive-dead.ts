/** Dead deliveries of one subscription that are delivered again, as one request. */
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { change, whoOf } from './call.ts'
import { type DeadFilter, type DeadReason, deadReasonSql } from './dead.ts'

/** Which open ones a redrive is about: those of one subscription, or a single one of them. */
export interface DeadRedrive extends Pick<DeadFilter, 'topic' | 'cause' | 'from' | 'to'> {
  readonly subscription: string
  readonly id?: number | undefined
}

const redrivable = `FROM subscriptions.dead d JOIN subscriptions.subscriptions s ON s.id = d.subscription
    JOIN topics t ON t.id = d.topic_id
  WHERE s.name = $1 AND d.state = 'open' AND t.name ~ $2 AND ($3::text IS NULL OR ${deadReasonSql} = $3)
    AND ($4::timestamptz IS NULL OR d.at >= $4) AND ($5::timestamptz IS NULL OR d.at < $5)
    AND ($6::bigint IS NULL OR d.id = $6)`

const redriveValues = ({ subscription, topic, cause, from, to, id }: DeadRedrive) => [
  subscription,
  topic?.regExp.source ?? '',
  cause ?? null,
  from ?? null,
  to ?? null,
  id ?? null,
]

/** What a redrive would be about. */
export interface DeadCount {
  readonly matched: number
  readonly byReason: Readonly<Partial<Record<DeadReason, number>>>
  /** The last of their ids; 0 without any. */
  readonly asOf: number
}

/** Counts those up to an id, if there is one. Rejects with `StoreUnavailable`. */
export async function countDead(store: Store, redrive: DeadRedrive, asOf?: number): Promise<DeadCount> {
  const { rows } = await store.pool
    .query<{ reason: DeadReason; count: string; last: string }>(
      `SELECT ${deadReasonSql} AS reason, count(*), max(d.id) AS last ${redrivable}
         AND ($7::bigint IS NULL OR d.id <= $7) GROUP BY 1 ORDER BY 1`,
      [...redriveValues(redrive), asOf ?? null],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'count of dead deliveries')
    })
  return {
    matched: rows.reduce((sum, { count }) => sum + Number(count), 0),
    byReason: Object.fromEntries(rows.map(({ reason, count }) => [reason, Number(count)])),
    asOf: Math.max(0, ...rows.map(({ last }) => Number(last))),
  }
}

/** Dead deliveries that are redriven in one transaction. */
const redrivenAtOnce = 200

/**
 * Has those up to an id delivered again, the oldest first and some at a time; resolves with how many. What somebody else
 * has dealt with meanwhile, and events that are gone, are passed over. It ends early once the key, or token, of who asks
 * has ended. Rejects with `StoreUnavailable`; then a part may be done.
 */
export async function redriveAllDead(
  store: Store,
  redrive: DeadRedrive,
  asOf: number,
  by: By,
): Promise<{ readonly redriven: number; readonly ended: boolean }> {
  let redriven = 0
  let behind = 0
  while (behind < asOf) {
    const { rows } = await store.pool
      .query<{ id: string }>(
        `SELECT d.id ${redrivable} AND d.id > $7 AND d.id <= $8 ORDER BY d.id LIMIT $9`,
        [...redriveValues(redrive), behind, asOf, redrivenAtOnce],
      )
      .catch((error: unknown) => {
        throw asStoreError(error, 'read of dead deliveries')
      })
    const ids = rows.map(({ id }) => Number(id))
    if (ids.length === 0) break
    behind = ids.at(-1) ?? asOf
    const outcomes = await redriveSome(store, ids, by)
    redriven += outcomes.redriven
    if (outcomes.ended) return { redriven, ended: true }
  }
  return { redriven, ended: false }
}

const redriveSome = (store: Store, ids: readonly number[], by: By) =>
  change<{ redriven: string; ended: boolean }, { readonly redriven: number; readonly ended: boolean }>(
    store,
    'redrive of dead deliveries',
    `(SELECT count(*) FILTER (WHERE o = 'redriven') AS redriven, coalesce(bool_or(o = 'actor_ended'), false) AS ended
      FROM (SELECT subscriptions.settle_dead(i, 'redriven', NULL, $2, $3, $4) AS o
        FROM unnest($1::bigint[]) AS i ORDER BY i) settled) AS r`,
    [ids, ...whoOf(by)],
    ({ redriven, ended }) => ({ redriven: Number(redriven), ended }),
  )
