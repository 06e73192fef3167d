import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { appendRaw, numbered, ownStack } from '../test/stack.ts'

test('an event of a quiet topic is stored before the rest of what floods others', async () => {
  await using stack = await ownStack()
  const { pool } = stack.store
  const flooded = Array.from({ length: 100 }, (_, index) => `flooded.${index}`)
  for (const topic of flooded) await stack.append(numbered(200, 1, { topic }))
  // A pack, which is 32 events, a turn.
  await using _consumer = stack.consumer('c1', { TURN_EVENTS_MAX: '20' })
  const stored = async () => Number((await pool.query('SELECT sum(head)::int FROM topics')).rows[0].sum)
  // A first look at each topic has shown by then which of them have much.
  await eventually(async () => expect(await stored()).toBeGreaterThan(6_400), 20_000)
  for (const number of [1, 2, 3]) {
    await stack.append([event({ topic: 'quiet', eventId: `q${number}` })])
    await eventually(
      async () => expect(await stack.figures('quiet')).toMatchObject({ stored: number }),
      20_000,
    )
  }
  // How many of the others were stored while each of these waited. Were it behind one turn of each, that came to 3,200.
  const { rows } = await pool.query(`
    SELECT max((SELECT count(*) FROM events o WHERE o.stored_at BETWEEN q.received_at AND q.stored_at))::int
    FROM events q WHERE q.topic_id = (SELECT id FROM topics WHERE name = 'quiet')`)
  expect(rows[0].max).toBeLessThan(1_600)
})

test('many dead letters come a few in a turn, and take no failed turn for each', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(20))
  for (let index = 0; index < 40; index++) {
    await appendRaw(stack.broker, `bad${index}`, '2026-01-01T00:00:00.000000Z', 's', '{"')
  }
  await stack.append(numbered(20, 21))
  await using consumer = stack.consumer('c1')
  expect(await stack.settled()).toMatchObject({ stored: 40, dead: 40, duplicates: 0, lost: 0 })
  const { rows } = await stack.store.pool.query(
    'SELECT count(DISTINCT xmin::text)::int AS turns, (SELECT kept_bytes::int FROM topics) AS kept FROM dead_letters',
  )
  expect(rows[0].turns).toBeGreaterThanOrEqual(10)
  expect(rows[0].kept).toBeGreaterThan(40 * 30)
  expect(consumer.output().split('data refused').length - 1).toBe(1)
})

test('dead letters and conflicts share a topic’s room for content, and beyond it leave stubs', async () => {
  await using stack = await ownStack()
  const large = (fill: string) => `{"v":"${fill.repeat(250_000)}"}`
  const { redis } = stack.broker
  const key = `${stack.broker.prefix}:stream:orders`
  await stack.append([event({ eventId: 'x' })])
  for (let index = 0; index < 12; index++) {
    await redis.xadd(key, '*', 'not', large('m'))
    await appendRaw(stack.broker, 'x', '2026-01-01T00:00:00.000000Z', 's', large('c'))
  }
  await using _consumer = stack.consumer('c1')
  expect(await stack.settled()).toMatchObject({ stored: 1, dead: 12, conflicts: 12, duplicates: 0, lost: 0 })
  const { rows } = await stack.store.pool.query(`SELECT kept_bytes::int AS kept,
    (SELECT count(payload)::int FROM conflicts) + (SELECT count(fields)::int FROM dead_letters) AS contents,
    (SELECT count(*)::int FROM conflicts) AS conflicts, (SELECT count(entry_id)::int FROM dead_letters) AS dead
    FROM topics`)
  expect(rows).toEqual([{ kept: expect.any(Number), contents: 16, conflicts: 12, dead: 12 }])
  expect(rows[0].kept).toBeGreaterThan(16 * 250_000)
})
