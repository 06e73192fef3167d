/** A long snapshot keeps whatever was deleted since. Nobody may have to read past it. */
import { expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { get, oneSession, say, subscribed } from '../test/subscriptions.ts'

/** Pages that a pull and a settle read, neither of which is done for good. */
async function pagesOf({ pool }: Store): Promise<{ pull: number; settle: number }> {
  const explain = async (call: string) => {
    const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM ${call}`,
    )
    const plan = rows[0]?.['QUERY PLAN'][0].Plan
    return Number(plan?.['Shared Hit Blocks']) + Number(plan?.['Shared Read Blocks'])
  }
  await pool.query('BEGIN')
  const pull = await explain(`subscriptions.pull('mailer', 10, 100000, NULL, repeat('0', 32))`)
  const token = `'AAAAAAAAAAAAAAAAAAAAAA.1.1'`
  const settle =
    await explain(`subscriptions.settle('mailer', ARRAY[${token}], ARRAY['ack'], ARRAY[NULL]::integer[],
    ARRAY[NULL]::text[])`)
  await pool.query('ROLLBACK')
  return { pull, settle }
}

test.each(['none', 'source'] as const)(
  'order %s: what was settled under it is not read again',
  async (order) => {
    await using store = await subscribed(
      5_000,
      { order, leaseSeconds: 1, sourceBatch: 10, outstandingMax: 200 },
      // The one that is held is the only one of its source, so that nothing waits for it.
      { source: `CASE n WHEN 1 THEN 'held' ELSE 's' || n % 7 END` },
    )
    await using session = oneSession(store)
    const work = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const { grant } = await get(session, 10)
        await say(session, 'ack', [grant])
      }
    }
    await using reader = oneSession(store)
    await reader.pool.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM topics')
    // Somebody holds an event for long, so that the floor stays where it is.
    await say(session, 'extend', [(await get(session, 1)).grant], { delaySeconds: 3_600 })
    await work(60)
    await pagesOf(session) // plans are made in the first calls of a session
    const before = await pagesOf(session)
    await work(300)
    const after = await pagesOf(session)
    expect(before.pull).toBeGreaterThan(5)
    expect(after.pull).toBeLessThan(before.pull * 2)
    expect(after.settle).toBeLessThan(before.settle * 2)
  },
)
