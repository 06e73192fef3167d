import { startGateway } from '@sekali/testkit/app'
import { fillLog } from '@sekali/testkit/fill-log'
import { ownPrefix, ownStore } from '@sekali/testkit/own'

import { nowhere } from './gateway.ts'

export const lines = { Accept: 'application/x-ndjson' }
export const big = 60_000

/** A gateway as a process, on a log of orders in two regions and a big topic, without a Redis. */
export async function ownLog() {
  const store = await ownStore()
  await fillLog(
    store,
    { 'orders.eu': 700, 'orders.us': 300, big },
    {
      payload: `json_build_object('x', repeat('x', 500))`,
      source: `CASE WHEN n % 10 = 0 THEN 'tenth' ELSE 'shop' END`,
      timestamp: `'2025-01-01Z'::timestamptz + n * interval '1 minute'`,
      receivedAt: `'2025-02-01Z'::timestamptz + n * interval '1 minute'`,
    },
  )
  const gateway = await startGateway({
    REDIS_URL: nowhere.redisUrl,
    REDIS_PREFIX: ownPrefix(),
    DATABASE_URL: store.url,
    LOG_LEVEL: 'warn',
  })
  return {
    store,
    gateway,
    get: (path: string, headers: Record<string, string> = {}) => fetch(`${gateway.url}${path}`, { headers }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

export interface Shown {
  readonly topic: string
  readonly seq: number
  readonly source: string
}
export const namesOf = (events: readonly Shown[]) => events.map(({ topic, seq }) => `${topic}:${seq}`)
export const read = (text: string): Shown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Shown)
