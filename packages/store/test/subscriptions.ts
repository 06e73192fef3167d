/** What tests of subscriptions share. */
import { parsePattern } from '@sekali/core/pattern'
import type { SettleAction } from '@sekali/core/subscription'
import { ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { connectStore, type Store } from '../src/postgres/connect.ts'
import { pull } from '../src/subscriptions/pull.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import { readSubscription } from '../src/subscriptions/read.ts'
import { settle } from '../src/subscriptions/settle.ts'
import type {
  Pulled,
  PullRequest,
  SettleItem,
  SubscriptionConfig,
  SubscriptionStatus,
} from '../src/subscriptions/types.ts'

export const by = { actor: 'tester', client: '192.0.2.1' }

export const configOf = (changes: Partial<SubscriptionConfig> = {}): SubscriptionConfig => ({
  name: 'mailer',
  kind: 'pull',
  topics: parsePattern('orders'),
  from: 'start',
  order: 'none',
  filter: {},
  sourceBatch: 1,
  leaseSeconds: 30,
  outstandingMax: 1_000,
  deliveriesMax: 5,
  backoffSeconds: [],
  onExhausted: 'skip',
  ...changes,
})

interface Columns {
  readonly source?: string
  readonly payload?: string
}

/** Stores more events of a topic, in one transaction as a turn does; columns are SQL over their seqs `n`. */
export async function add(
  store: Store,
  topic: string,
  count: number,
  { source = `'shop'`, payload = `'{}'` }: Columns = {},
): Promise<void> {
  await store.pool.query(
    `WITH made AS (
       INSERT INTO topics (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id
     ), grown AS (
       SELECT m.id, coalesce((SELECT head FROM topics t WHERE t.id = m.id), 0) AS head FROM made m
     )
     INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, event_key, content_tag)
     SELECT g.id, n, 'e' || n, ${source}, (${payload})::json, now(), now(), event_key(g.id, 'e' || n), gen_random_uuid()
     FROM grown g, generate_series(g.head + 1, g.head + $2::bigint) n`,
    [topic, count],
  )
  await store.pool.query(
    'UPDATE topics t SET head = (SELECT coalesce(max(seq), 0) FROM events e WHERE e.topic_id = t.id) WHERE name = $1',
    [topic],
  )
}

/** A store with a topic of so many events and a subscription to it. */
export async function subscribed(
  count: number,
  changes: Partial<SubscriptionConfig> = {},
  columns: Columns = {},
): Promise<Store & { readonly url: string }> {
  const store = await ownStore()
  await add(store, 'orders', count, columns)
  await putSubscription(store, configOf(changes), by)
  return store
}

/** The same database through one connection. */
export const oneSession = ({ url }: { readonly url: string }): Store =>
  connectStore({ url, poolMax: 1, name: 'test' }, quiet)

/** What a worker gets. */
export async function get(
  store: Store,
  max: number,
  { name = 'mailer', bytesMax = 1024 * 1024, worker = 'w' }: Partial<PullRequest> = {},
): Promise<Pulled> {
  const pulled = await pull(store, { name, max, bytesMax, worker })
  if (typeof pulled === 'string') throw new Error(pulled)
  return pulled
}

export const seqsOf = ({ items }: Pulled): number[] => items.map(({ event }) => event.seq)
export const attemptsOf = ({ items }: Pulled): number[] => items.map(({ attempt }) => attempt)

/** Settles the tokens alike, and gives the results. */
export async function say(
  store: Store,
  action: SettleAction,
  tokens: readonly (string | null | undefined)[],
  more: Partial<SettleItem> = {},
): Promise<string[]> {
  const items = tokens.map((token) => ({ ...more, token: token ?? '', do: action }))
  const settled = await settle(store, { name: 'mailer', items })
  return typeof settled === 'string' ? [settled] : settled.map(({ result }) => result)
}

export const tokensOf = ({ items }: Pulled): string[] => items.map(({ token }) => token)

/** Lets all leases and waits run out, as time would. */
export async function runOut(store: Store, which = 'true'): Promise<void> {
  await store.pool.query(
    `UPDATE subscriptions.exceptions x SET since = clock_timestamp(), due_at = s.horizon + interval '1 us'
     FROM (SELECT subscription, max(horizon) AS horizon FROM subscriptions.states GROUP BY 1) s
     WHERE s.subscription = x.subscription AND ${which}`,
  )
}

export async function statusOf(store: Store, name = 'mailer'): Promise<SubscriptionStatus> {
  const status = await readSubscription(store, name)
  if (status === undefined) throw new Error('no such subscription')
  return status
}

/** Up to where all is settled. */
export async function floorOf(store: Store, topic = 'orders'): Promise<number> {
  const { rows } = await store.pool.query<{ floor: string }>(
    `SELECT subscriptions.floor_of(c.subscription, c.topic_id, c.floor, c.cursor, c.waiting) AS floor
     FROM topics t, subscriptions.subscriptions s, subscriptions.cursor_of(s.id, t.id) c
     WHERE t.name = $1 AND s.name = 'mailer'`,
    [topic],
  )
  return Number(rows[0]?.floor)
}

export const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** Of all topics. */
export const all = { topics: parsePattern('>') }

/** What a subscription gets of each topic, all of it. */
export async function gets(store: Store): Promise<Record<string, number[]>> {
  const seqs: Record<string, number[]> = {}
  for (;;) {
    const { items, more } = await get(store, 100)
    for (const { event } of items) {
      seqs[event.topic] ??= []
      seqs[event.topic]?.push(event.seq)
    }
    if (items.length === 0 && !more) return seqs
  }
}
