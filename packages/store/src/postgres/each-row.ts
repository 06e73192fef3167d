import type { SQL } from 'drizzle-orm'
import pg from 'pg'
import type { Store } from './connect.ts'
import { pgCore } from './drizzle.ts'
import { asStoreError } from './errors.ts'

const dialect = new pgCore.PgDialect({ casing: 'snake_case' })

/**
 * Gives each row of a query to `onRow` as it arrives, its values in order and as PostgreSQL prints them. pg
 * would make an object of each and keep them all until the last is there: of a page of events that is what
 * the collector then copies around. Rejects with `StoreUnavailable`, or with what `onRow` throws.
 */
export async function eachRow(
  store: Store,
  what: string,
  statement: SQL,
  onRow: (values: readonly (string | null)[]) => void,
): Promise<void> {
  const { sql: text, params: values } = dialect.sqlToQuery(statement)
  let failure: { readonly error: unknown } | undefined
  const handleDataRow = ({ fields }: { readonly fields: readonly (string | null)[] }) => {
    if (failure) return
    try {
      onRow(fields)
    } catch (error) {
      failure = { error } // thrown in here it would end the process
    }
  }
  try {
    await store.pool.query(Object.assign(new pg.Query({ text, values }), { handleDataRow }))
  } catch (error) {
    throw asStoreError(error, what)
  }
  if (failure) throw failure.error
}
