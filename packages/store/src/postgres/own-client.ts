import { StoreUnavailable } from '@sekali/core/errors'
import { triedAt } from '@sekali/core/tried'
import pg from 'pg'
import { asStoreError } from './errors.ts'
import { processName } from './process-name.ts'

/**
 * Runs `work` on a connection of its own that ends with it. Rejects with `StoreUnavailable`, which says where it was tried and
 * as whom, or `DataRefused`.
 */
export async function withOwnClient<T>(
  url: string,
  what: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = createClient(url, what)
  client.on('error', () => undefined) // the query in flight rejects as well
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    const failure = asStoreError(error, what)
    if (!(failure instanceof StoreUnavailable)) throw failure
    throw new StoreUnavailable(`${failure.message}. ${triedAt(url)}`, { cause: failure.cause })
  } finally {
    await client.end().catch(() => undefined)
  }
}

/**
 * Takes away the times after which statements and waits are ended, for this session: a role or a database may have them, and
 * what takes minutes on a large log would never end.
 */
export async function liftTimeouts(client: pg.Client): Promise<void> {
  await client.query(`SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout')`)
}

/** It reads the files that the URL names, sslrootcert for one. Throws `StoreUnavailable` when it cannot. */
function createClient(url: string, what: string): pg.Client {
  try {
    return new pg.Client({
      connectionString: url,
      application_name: processName('migrate'),
      connectionTimeoutMillis: 5_000,
    })
  } catch (error) {
    throw asStoreError(error, what)
  }
}
