import { StoreUnavailable } from '@sekali/core/errors'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'

/** What is hashed with every event id and content: 32 bytes, made once for an installation. Rejects with `StoreUnavailable`. */
export async function readPepper(store: Store): Promise<Buffer> {
  const { rows } = await store.db
    .execute<{ pepper: Buffer }>(sql`SELECT pepper FROM installation`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of the pepper')
    })
  return pepperIn(rows[0]?.pepper)
}

/** The pepper of a row, as PostgreSQL prints it or as pg reads it. Throws `StoreUnavailable` if there is none. */
export function pepperIn(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'string') return Buffer.from(value.slice('\\x'.length), 'hex')
  throw new StoreUnavailable(
    'the table installation has lost its row, without which no event id is found: restore it from a backup',
  )
}
