/** What was sent and what came back, for people. */
import type { TopicName } from '@sekali/core/event'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import type { Attempt, HeaderValues } from './types.ts'

export interface AttemptsPage {
  /** The subscription's id. */
  readonly subscription: number
  readonly state?: Attempt['state'] | undefined
  readonly topic?: TopicName | undefined
  readonly seq?: number | undefined
  /** Topics that may be shown. Tests are of none. */
  readonly within: readonly TopicPattern[]
  /** Only smaller ids. */
  readonly before?: number | undefined
  readonly limit: number
}

interface AttemptRow {
  readonly id: string
  readonly at: string
  readonly kind: Attempt['kind']
  readonly topic: TopicName | null
  readonly epoch: number | null
  readonly seq: string | null
  readonly attempt: number
  readonly state: Attempt['state']
  readonly status: number | null
  readonly error: string | null
  readonly duration_ms: number
  readonly request: Attempt['request']
  readonly response: { readonly headers: HeaderValues } | null
  readonly response_body: string | null
  readonly is_cut: boolean
  readonly retry_in_s: number | null
}

const select = `SELECT a.id, a.at::text AS at, a.kind, t.name AS topic, a.epoch, a.seq, a.attempt, a.state, a.status, a.error,
    a.duration_ms, a.request, a.response, a.response_body, a.is_cut, a.retry_in_s
  FROM subscriptions.attempts a LEFT JOIN topics t ON t.id = a.topic_id`

/** A page, newest first. Rejects with `StoreUnavailable`. */
export function readAttempts(store: Store, page: AttemptsPage): Promise<Attempt[]> {
  const { subscription, state, topic, seq, within, before, limit } = page
  return read(
    store,
    `${select} WHERE a.subscription = $1 AND ($2::text IS NULL OR a.state = $2)
       AND ($3::text IS NULL OR a.topic_id = (SELECT n.id FROM topics n WHERE n.name = $3))
       AND ($4::bigint IS NULL OR a.seq = $4) AND (t.name IS NULL OR t.name ~ ANY ($5))
       AND ($6::bigint IS NULL OR a.id < $6)
     ORDER BY a.id DESC LIMIT $7`,
    [
      subscription,
      state ?? null,
      topic ?? null,
      seq ?? null,
      within.map(({ regExp }) => regExp.source),
      before ?? null,
      limit,
    ],
  )
}

/** The one of an id; `undefined` if there is none. Rejects with `StoreUnavailable`. */
export async function findAttempt(store: Store, id: number): Promise<Attempt | undefined> {
  const [attempt] = await read(store, `${select} WHERE a.id = $1`, [id])
  return attempt
}

async function read(store: Store, query: string, values: unknown[]): Promise<Attempt[]> {
  const { rows } = await store.pool.query<AttemptRow>(query, values).catch((error: unknown) => {
    throw asStoreError(error, 'read of attempts')
  })
  return rows.map(attemptOf)
}

const attemptOf = (row: AttemptRow): Attempt => ({
  id: Number(row.id),
  at: utc(row.at),
  kind: row.kind,
  topic: row.topic,
  epoch: row.epoch,
  seq: row.seq === null ? null : Number(row.seq),
  attempt: row.attempt,
  state: row.state,
  status: row.status,
  error: row.error,
  durationMs: row.duration_ms,
  request: row.request,
  response: row.response && { ...row.response, body: row.response_body ?? '', cut: row.is_cut },
  retryInSeconds: row.retry_in_s,
})

export interface Success {
  readonly delivered: number
  readonly failed: number
}

/** How the newest 1,000 attempts of 24 h went, by the subscriptions' ids; tests are left out. Rejects with `StoreUnavailable`. */
export async function readSuccess(store: Store, ids: readonly number[]): Promise<Map<number, Success>> {
  const { rows } = await store.pool
    .query<{ subscription: number; delivered: string; failed: string }>(
      `SELECT s.id AS subscription, count(*) FILTER (WHERE a.state = 'delivered') AS delivered,
         count(*) FILTER (WHERE a.state = 'failed') AS failed
       FROM unnest($1::integer[]) s (id) CROSS JOIN LATERAL (
         SELECT b.state, b.kind, b.at FROM subscriptions.attempts b WHERE b.subscription = s.id ORDER BY b.id DESC LIMIT 1000
       ) a WHERE a.kind <> 'test' AND a.at > clock_timestamp() - interval '24 hours' GROUP BY 1`,
      [ids],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of attempts')
    })
  return new Map(
    rows.map(({ subscription, delivered, failed }) => [
      subscription,
      { delivered: Number(delivered), failed: Number(failed) },
    ]),
  )
}
