import { StoreUnavailable } from '@sekali/core/errors'
import type pg from 'pg'
import { asStoreError } from './errors.ts'
import { hostsOf } from './hosts.ts'
import { PrimaryPool } from './pool.ts'
import { processName } from './process-name.ts'
import type { StoreClient } from './store-client.ts'

/** Makes another connection, which ends with the first. */
export type AnotherClient = () => Promise<pg.PoolClient>

/**
 * Runs `work` on a connection of its own that ends with it, to the primary where the URL names several hosts. Rejects with
 * `StoreUnavailable`, which says where it was tried and as whom, or `DataRefused`.
 */
export async function withOwnClient<T>(
  url: string,
  what: string,
  work: (client: pg.PoolClient, another: AnotherClient) => Promise<T>,
): Promise<T> {
  const hosts = hostsOf(url)
  const pool = new PrimaryPool({
    hosts,
    max: 2,
    application_name: processName('migrate'),
    connectionTimeoutMillis: 5_000,
  })
  pool.on('error', () => undefined)
  const clients: pg.PoolClient[] = []
  const another = async () => {
    const client = await pool.connect()
    client.on('error', () => undefined) // the query in flight rejects as well
    clients.push(client)
    return client
  }
  try {
    return await work(await another(), another)
  } catch (error) {
    const failure = asStoreError(error, what)
    if (!(failure instanceof StoreUnavailable)) throw failure
    throw new StoreUnavailable(`${failure.message}. ${hosts.tried}`, { cause: failure.cause })
  } finally {
    for (const client of clients) {
      // A pool does not wait for its connections to be closed; whoever drops the database next needs that.
      await (client as unknown as pg.Client).end().catch(() => undefined)
      client.release(true)
    }
    await pool.end()
  }
}

const lift = (isLocal: boolean) => `SELECT set_config(name, '0', ${isLocal}) FROM pg_settings WHERE name IN
  ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')`

/** A transaction that may stay open for as long as others take. */
export const beginForLong = `BEGIN; ${lift(true)}`

/**
 * Takes away the times after which statements and waits are ended, for this session: a role or a database may have them, and
 * what takes minutes on a large log would never end. Not behind a pooler, where others would have the session next: there the
 * role must have none, as `sekali_owner` has.
 */
export async function liftTimeouts(client: pg.PoolClient): Promise<void> {
  if ((client as unknown as StoreClient).isMadeForPooler) return
  await client.query(lift(false))
}
