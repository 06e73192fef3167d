/** Deliveries that were given up: pointers to events of the log, which stays as it is. */
import type { TopicName } from '@sekali/core/event'
import type { TopicPattern } from '@sekali/core/pattern'
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import { change, whoOf } from './call.ts'
import type { DeadDelivery } from './types.ts'

/** Why a delivery is given up, in a word: what a worker said with `term` is its own words. */
export const deadReasons = ['exhausted', 'terminated'] as const
export type DeadReason = (typeof deadReasons)[number]

export const deadReasonOf = ({ reason }: Pick<DeadDelivery, 'reason'>): DeadReason =>
  exhausted.test(reason) ? 'exhausted' : 'terminated'

/** What a worker said of it last; undefined if it said nothing. */
export function wordsOf({ reason }: Pick<DeadDelivery, 'reason'>): string | undefined {
  const words = reason.replace(exhausted, '')
  return words === '' || words === 'terminated' ? undefined : words
}

const exhausted = /^exhausted(?:$|: )/

/** The reason for PostgreSQL, of `subscriptions.dead` as `d`. */
export const deadReasonSql = `CASE WHEN d.reason ~ '${exhausted.source}' THEN 'exhausted' ELSE 'terminated' END`

/** Which of them. All that is given must fit. */
export interface DeadFilter {
  readonly subscription?: string | undefined
  readonly topic?: TopicPattern | undefined
  readonly reason?: string | undefined
  /** Why, in a word. */
  readonly cause?: DeadReason | undefined
  readonly state?: 'all' | DeadDelivery['state'] | undefined
  /** Of the time at which they were given up: from this on, before that. UTC. */
  readonly from?: string | undefined
  readonly to?: string | undefined
}

export interface DeadPage extends DeadFilter {
  /** Topics that may be shown. */
  readonly within: readonly TopicPattern[]
  /** Subscriptions that may be shown, if not all may. */
  readonly among?: readonly string[] | undefined
  /** Only smaller ids. */
  readonly before?: number | undefined
  readonly limit: number
}

interface DeadRow {
  readonly id: string
  readonly subscription: string
  readonly topic: TopicName
  readonly epoch: number
  readonly seq: string
  readonly event_id: string | null
  readonly source: string | null
  readonly attempts: number
  readonly reason: string
  readonly at: string
  readonly state: DeadDelivery['state']
  readonly settled_at: string | null
  readonly settled_by: string | null
  readonly settled_reason: string | null
}

const select = `SELECT d.id, s.name AS subscription, t.name AS topic, d.epoch, d.seq, e.event_id, e.source, d.attempts,
    d.reason, d.at::text AS at, d.state, d.settled_at::text AS settled_at, d.settled_by, d.settled_reason
  FROM subscriptions.dead d JOIN subscriptions.subscriptions s ON s.id = d.subscription
    JOIN topics t ON t.id = d.topic_id
    LEFT JOIN events e ON e.topic_id = d.topic_id AND e.seq = d.seq AND t.epoch = d.epoch`

/** A page, newest first; the open ones unless `state` says otherwise. Rejects with `StoreUnavailable`. */
export function listDead(store: Store, page: DeadPage): Promise<DeadDelivery[]> {
  const { subscription, topic, within, among, reason, cause, state = 'open', from, to, before, limit } = page
  return read(
    store,
    `${select}
     WHERE ($1::bigint IS NULL OR d.id < $1) AND ($2::text IS NULL OR s.name = $2)
       AND t.name ~ $3 AND t.name ~ ANY ($4) AND ($5::text IS NULL OR d.reason = $5)
       AND ($6 = 'all' OR d.state = $6) AND ($7::timestamptz IS NULL OR d.at >= $7)
       AND ($8::timestamptz IS NULL OR d.at < $8)
       AND ($10::text[] IS NULL OR s.name = ANY ($10)) AND ($11::text IS NULL OR ${deadReasonSql} = $11)
     ORDER BY d.id DESC LIMIT $9`,
    [
      before ?? null,
      subscription ?? null,
      topic?.regExp.source ?? '',
      within.map(({ regExp }) => regExp.source),
      reason ?? null,
      state,
      from ?? null,
      to ?? null,
      limit,
      among ?? null,
      cause ?? null,
    ],
  )
}

/** The one of an id; `undefined` if there is none. Rejects with `StoreUnavailable`. */
export async function findDead(store: Store, id: number): Promise<DeadDelivery | undefined> {
  const [dead] = await read(store, `${select} WHERE d.id = $1`, [id])
  return dead
}

async function read(store: Store, query: string, values: unknown[]): Promise<DeadDelivery[]> {
  const { rows } = await store.pool.query<DeadRow>(query, values).catch((error: unknown) => {
    throw asStoreError(error, 'read of dead deliveries')
  })
  return rows.map(({ id, event_id, seq, at, settled_at, settled_by, settled_reason, ...rest }) => ({
    ...rest,
    id: Number(id),
    seq: Number(seq),
    eventId: event_id,
    at: utc(at),
    settledAt: settled_at && utc(settled_at),
    settledBy: settled_by,
    settledReason: settled_reason,
  }))
}

/**
 * `unknown`: there is no such dead delivery. `settled`: somebody has dealt with it. `gone`: a restore has taken the event away, or
 * somebody has deleted its row.
 */
export type DeadNotSettled = 'unknown' | 'settled' | 'gone' | 'actor_ended'

/** Has the event delivered again, as if for the first time; floors do not move. Rejects with `StoreUnavailable`. */
export const redriveDead = (store: Store, id: number, by: By): Promise<'redriven' | DeadNotSettled> =>
  settleDead(store, id, 'redriven', null, by)

/** Marks it as done with. Rejects with `StoreUnavailable`. */
export const discardDead = (
  store: Store,
  id: number,
  reason: string,
  by: By,
): Promise<'discarded' | DeadNotSettled> => settleDead(store, id, 'discarded', reason, by)

const settleDead = <Became extends 'redriven' | 'discarded'>(
  store: Store,
  id: number,
  became: Became,
  reason: string | null,
  by: By,
) =>
  change<{ outcome: Became | DeadNotSettled }, Became | DeadNotSettled>(
    store,
    'settling of a dead delivery',
    'subscriptions.settle_dead($1, $2, $3, $4, $5, $6) AS d (outcome)',
    [id, became, reason, ...whoOf(by)],
    ({ outcome }) => outcome,
  )
