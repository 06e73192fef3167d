/** Where push subscriptions send, and how that goes; for people, metrics and the doctor. */
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import type { Endpoint } from './types.ts'

interface EndpointRow {
  readonly subscription: number
  readonly url: string
  readonly header_names: string[]
  readonly concurrency: number
  readonly rate_per_s: number | null
  readonly timeout_s: number
  readonly body: Endpoint['body']
  readonly batch_max: number
  readonly state: Endpoint['state']
  readonly why: Endpoint['why']
  readonly since: string
  readonly failures: number
  readonly failing_since: string | null
  readonly held_until: string | null
  readonly probe_at: string | null
}

/** The endpoints of subscriptions, by the subscriptions' ids. Those that are pulled have none. Rejects with `StoreUnavailable`. */
export async function readEndpoints(store: Store, ids: readonly number[]): Promise<Map<number, Endpoint>> {
  const { rows } = await store.pool
    .query<EndpointRow>(
      `SELECT e.subscription, e.url, e.header_names, e.concurrency, e.rate_per_s, e.timeout_s, e.body, e.batch_max,
         e.state, e.why, e.since::text AS since, e.failures, e.failing_since::text AS failing_since,
         CASE WHEN e.held_until > clock_timestamp() THEN e.held_until::text END AS held_until, e.probe_at::text AS probe_at
       FROM subscriptions.endpoints e WHERE e.subscription = ANY ($1)`,
      [ids],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of endpoints')
    })
  return new Map(rows.map((row) => [row.subscription, endpointOf(row)]))
}

const endpointOf = (row: EndpointRow): Endpoint => ({
  subscription: row.subscription,
  url: row.url,
  headerNames: row.header_names,
  concurrency: row.concurrency,
  ratePerSecond: row.rate_per_s,
  timeoutSeconds: row.timeout_s,
  body: row.body,
  batchMax: row.batch_max,
  state: row.state,
  why: row.why,
  since: utc(row.since),
  failures: row.failures,
  failingSince: row.failing_since && utc(row.failing_since),
  heldUntil: row.held_until && utc(row.held_until),
  probeAt: row.probe_at && utc(row.probe_at),
})
