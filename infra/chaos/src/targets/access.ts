// Redis and PostgreSQL past the system under test, through the drivers that the rooms next door keep.
import type { Broker } from '@sekali/broker/connect'
import { connectStore, type Store } from '@sekali/store/connect'
import type { OpenSession, RedisAccess, SqlAccess } from './target.ts'

export function accessRedis({ redis, prefix }: Broker): RedisAccess {
  return {
    prefix,
    call: (command, ...args) => redis.call(String(command), ...args.map(String)),
  }
}

const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const heldMs = 120_000

/** A name is removed a minute after its consumer was last seen, and the look happens every half a minute. */
export const namesKeptMs = 120_000

export function accessSql(store: Store): SqlAccess {
  return {
    rows: async (query) => {
      const { rows } = await store.pool.query<Record<string, unknown>>(query)
      return rows.map(asTexts)
    },
  }
}

export const asTexts = (row: Record<string, unknown>): Record<string, string | null> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
  )

export const sessionsOf =
  (url: string): OpenSession =>
  async () => {
    const limits = { statementMs: heldMs, idleInTransactionMs: heldMs, connectMs: 5_000 }
    const own = connectStore({ url, poolMax: 1, name: 'chaos-session', ...limits }, quiet)
    const client = await own.pool.connect()
    client.on('error', () => undefined) // PostgreSQL may be killed under it
    return {
      rows: (query) => client.query(query),
      [Symbol.asyncDispose]: async () => {
        client.release(true)
        await own[Symbol.asyncDispose]()
      },
    }
  }
