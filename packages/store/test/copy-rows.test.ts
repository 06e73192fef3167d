import { ownStore } from '@sekali/testkit/own'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { type Store, withTransaction } from '../src/postgres/connect.ts'
import { copyRows } from '../src/postgres/copy-rows.ts'

/** How many writes to PostgreSQL's socket it takes to copy so many rows of 1,000 bytes. All of them arrive. */
const writesOf = (store: Store, count: number): Promise<number> =>
  withTransaction(store, 'test', async (tx) => {
    await tx.$client.query('CREATE TEMPORARY TABLE rows (text text) ON COMMIT DROP')
    const writes = countWrites(tx.$client)
    await copyRows(tx, 'rows (text)', Array<string>(count).fill('x'.repeat(1_000)), (to, text) => {
      to.row(1)
      to.text(text)
    })
    const before = writes()
    const { rows } = await tx.$client.query('SELECT count(*)::int FROM rows')
    expect(rows).toEqual([{ count }])
    return before
  })

/** Counts what the connection's socket is asked to write, whether that is one buffer or several. */
function countWrites(client: pg.PoolClient): () => number {
  const { stream } = (client as pg.PoolClient & { connection: pg.Connection }).connection
  let writes = 0
  const { _write: write, _writev: writev } = stream
  stream._write = (...args) => {
    writes += 1
    write.apply(stream, args)
  }
  stream._writev = (...args) => {
    writes += 1
    writev?.apply(stream, args)
  }
  return () => writes
}

test('a few rows go out in one write with their statement, and many while the next are encoded', async () => {
  await using store = await ownStore()
  expect(await writesOf(store, 1)).toBe(1)
  expect(await writesOf(store, 60)).toBe(1)
  expect(await writesOf(store, 1_000)).toBeGreaterThan(10)
})
