/**
 * How the functions of the schema `subscriptions` are called. The gateway's sessions only read, and these write for it. What
 * workers call often is one message.
 */
import pg from 'pg'
import type { By } from '../audit/append.ts'
import { beginOn, type Store, type Tx, withTransaction } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'

/** Where one of the functions waits for a lock it must then see what the holder committed. */
const begin = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE'

/** A value as SQL. Who calls has seen to it that no text has a NUL, which would end the message. */
export function literal(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return 'NULL'
  return typeof value === 'string' ? pg.escapeLiteral(value.replaceAll('\0', '')) : String(value)
}

/** An array as SQL, of that type. */
export const literals = (values: readonly (string | number | null | undefined)[], type: string): string =>
  `ARRAY[${values.map(literal).join(',')}]::${type}[]`

/** The rows of one statement, in a transaction of its own and one round trip. Rejects with `StoreUnavailable`. */
export async function callOnce<Row extends pg.QueryResultRow>(
  store: Store,
  what: string,
  statement: string,
): Promise<Row[]> {
  try {
    const results: unknown = await store.pool.query(`${begin}; ${statement}`)
    const [, { rows }] = results as [unknown, pg.QueryResult<Row>]
    return rows
  } catch (error) {
    throw asStoreError(error, what)
  }
}

/**
 * The same, and the rows of a statement after it, which reads what was committed and holds no lock: all in one round trip, so
 * that no pooler has another session between them. Where that one fails, the first may have happened.
 */
export async function callAndRead<Row extends pg.QueryResultRow, Read extends pg.QueryResultRow>(
  store: Store,
  what: string,
  statement: string,
  after: string,
): Promise<{ readonly rows: Row[]; readonly after: Read[] }> {
  const client = await store.pool.connect().catch((error: unknown) => {
    throw asStoreError(error, what)
  })
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    const statements = [beginOn(client), begin, statement, 'COMMIT', after]
    const results = (await client.query(statements.join('; '))) as unknown as pg.QueryResult[]
    const [called, , read] = results.slice(-3)
    return { rows: (called?.rows ?? []) as Row[], after: (read?.rows ?? []) as Read[] }
  } catch (error) {
    const failure = asStoreError(error, what)
    broken ??= failure // its end undoes what has begun, as ROLLBACK would
    throw failure
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** What an administrator changes: the first row that a function gives. Rejects with `StoreUnavailable`. */
export const change = <Row extends pg.QueryResultRow, T>(
  store: Store,
  what: string,
  call: string,
  values: readonly unknown[],
  then: (row: Row, tx: Tx) => Promise<T> | T,
): Promise<T> =>
  withTransaction(store, what, async (tx) => {
    await tx.$client.query(begin)
    const { rows } = await tx.$client.query<Row>(`SELECT * FROM ${call}`, [...values])
    return await then(rows[0] as Row, tx)
  })

export const whoOf = ({ actor, client, until }: By) => [actor, client ?? null, until?.toISOString() ?? null]
