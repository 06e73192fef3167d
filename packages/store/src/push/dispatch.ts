/** What dispatchers read of push subscriptions, and what they do beside their turns. */
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { callOnce } from '../subscriptions/call.ts'
import { outcomesLiteral, reportJson } from './turn.ts'
import type { AttemptReport, DeliveryBody } from './types.ts'

/** What a dispatcher has to know of a push subscription. */
export interface PushTarget {
  readonly id: number
  readonly name: string
  /** The pattern's text. */
  readonly topics: string
  readonly url: string
  readonly headersSealed: Buffer | null
  readonly concurrency: number
  readonly ratePerSecond: number | null
  readonly timeoutSeconds: number
  readonly body: DeliveryBody
  readonly batchMax: number
  readonly retrySeconds: readonly number[]
  readonly state: 'active' | 'degraded' | 'disabled' | 'paused'
  /** Sealed; the newest first. */
  readonly secrets: readonly Buffer[]
  /** One more after each seek. */
  readonly generation: number
  /** Another one whenever somebody has changed it, its state has, or a secret has expired. */
  readonly version: string
  /** Whether something is due that waited, or was given back, or whose lease has run out. */
  readonly isDue: boolean
}

interface TargetRow {
  readonly id: number
  readonly name: string
  readonly topics: string
  readonly url: string
  readonly headers_sealed: Buffer | null
  readonly concurrency: number
  readonly rate_per_s: number | null
  readonly timeout_s: number
  readonly body: DeliveryBody
  readonly batch_max: number
  readonly backoff_s: number[]
  readonly state: PushTarget['state']
  readonly secrets: Buffer[] | null
  readonly generation: number
  readonly version: string
  readonly is_due: boolean
}

/** All push subscriptions, by id. There are no more than a thousand subscriptions. Rejects with `StoreUnavailable`. */
export async function readTargets(store: Store): Promise<PushTarget[]> {
  const { rows } = await store.pool
    .query<TargetRow>(
      `SELECT s.id, s.name, s.topics, e.url, e.headers_sealed, e.concurrency, e.rate_per_s, e.timeout_s, e.body, e.batch_max,
         s.backoff_s, s.generation,
         CASE s.state WHEN 'paused' THEN 'paused' ELSE e.state END AS state,
         (SELECT array_agg(x.sealed ORDER BY x.id DESC) FROM subscriptions.secrets x
          WHERE x.subscription = s.id AND (x.expires_at IS NULL OR x.expires_at > clock_timestamp())) AS secrets,
         concat_ws(' ', s.changed_at, s.generation, e.changed_at) AS version,
         EXISTS (SELECT FROM subscriptions.exceptions y
           WHERE y.subscription = s.id AND y.due_at <= clock_timestamp()) AS is_due
       FROM subscriptions.subscriptions s JOIN subscriptions.endpoints e ON e.subscription = s.id
       WHERE s.kind = 'push' ORDER BY s.id`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of endpoints')
    })
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    topics: row.topics,
    url: row.url,
    headersSealed: row.headers_sealed,
    concurrency: row.concurrency,
    ratePerSecond: row.rate_per_s,
    timeoutSeconds: row.timeout_s,
    body: row.body,
    batchMax: row.batch_max,
    retrySeconds: row.backoff_s,
    state: row.state,
    secrets: row.secrets ?? [],
    generation: row.generation,
    version: `${row.version} ${row.secrets?.length ?? 0}`,
    isDue: row.is_due,
  }))
}

/** Takes samples that somebody has asked for. Nobody else takes them, unless this one dies. Rejects with `StoreUnavailable`. */
export async function takeTests(
  store: Store,
): Promise<{ readonly id: number; readonly subscription: number }[]> {
  const rows = await callOnce<{ id: string; subscription: number }>(
    store,
    'taking of tests',
    'SELECT t.id, t.subscription FROM subscriptions.push_take_tests() t',
  )
  return rows.map(({ id, subscription }) => ({ id: Number(id), subscription }))
}

/** Writes down what came of a sample. Rejects with `StoreUnavailable`. */
export async function answerTest(store: Store, id: number, report: AttemptReport): Promise<void> {
  const outcomes = outcomesLiteral([reportJson({ ...report, ageMs: report.durationMs })])
  await callOnce(store, 'answer to a test', `SELECT subscriptions.push_answer_test(${id}, ${outcomes})`)
}

/** Deletes attempts that are so old, 1,000 at most; resolves with how many. Rejects with `StoreUnavailable`. */
export async function sweepAttempts(store: Store, days: number): Promise<number> {
  const [row] = await callOnce<{ swept: number }>(
    store,
    'sweep of attempts',
    `SELECT subscriptions.push_sweep(${days}) AS swept`,
  )
  return row?.swept ?? 0
}
