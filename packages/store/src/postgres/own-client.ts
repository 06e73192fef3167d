import pg from 'pg'
import { asStoreError } from './errors.ts'

/** Runs `work` on a connection of its own that ends with it. Rejects with `StoreUnavailable` or `DataRefused`. */
export async function withOwnClient<T>(
  url: string,
  what: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'sekali-migrate',
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => undefined) // the query in flight rejects as well
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw asStoreError(error, what)
  } finally {
    await client.end().catch(() => undefined)
  }
}
