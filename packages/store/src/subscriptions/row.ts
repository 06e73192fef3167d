import type { Tx } from '../postgres/connect.ts'
import { utc } from '../postgres/time.ts'
import type { Subscription } from './types.ts'

/** The columns of a {@link SubscriptionRow}, of `subscriptions.subscriptions` as `s`. */
export const subscriptionColumns = `s.id, s.name, s.kind, s.topics, s.ordering, s.filter::text AS filter, s.source_batch,
  s.lease_s, s.outstanding_max, s.deliveries_max, s.backoff_s, s.on_exhausted, s.state, s.generation,
  s.created_at::text AS created_at, s.created_by, s.changed_at::text AS changed_at`

export interface SubscriptionRow {
  readonly id: number
  readonly name: string
  readonly kind: Subscription['kind']
  readonly topics: string
  readonly ordering: Subscription['order']
  readonly filter: string
  readonly source_batch: number
  readonly lease_s: number
  readonly outstanding_max: number
  readonly deliveries_max: number
  readonly backoff_s: number[]
  readonly on_exhausted: Subscription['onExhausted']
  readonly state: Subscription['state']
  readonly generation: number
  readonly created_at: string
  readonly created_by: string
  readonly changed_at: string
}

export const subscriptionOf = (row: SubscriptionRow): Subscription => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  topics: row.topics,
  order: row.ordering,
  filter: JSON.parse(row.filter),
  sourceBatch: row.source_batch,
  leaseSeconds: row.lease_s,
  outstandingMax: row.outstanding_max,
  deliveriesMax: row.deliveries_max,
  backoffSeconds: row.backoff_s,
  onExhausted: row.on_exhausted,
  state: row.state,
  generation: row.generation,
  createdAt: utc(row.created_at),
  createdBy: row.created_by,
  changedAt: utc(row.changed_at),
})

/** The subscription of a name, in a transaction; `undefined` if there is none. */
export async function subscriptionIn(tx: Tx, name: string): Promise<Subscription | undefined> {
  const { rows } = await tx.$client.query<SubscriptionRow>(
    `SELECT ${subscriptionColumns} FROM subscriptions.subscriptions s WHERE s.name = $1`,
    [name],
  )
  return rows[0] && subscriptionOf(rows[0])
}
