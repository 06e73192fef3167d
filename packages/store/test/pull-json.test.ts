/** What is pulled as text is what rows would have become. */
import { eventToJson } from '@sekali/core/event'
import { expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { pull, pullJson } from '../src/subscriptions/pull.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import type { Pulled, PulledJson, SubscriptionConfig } from '../src/subscriptions/types.ts'
import { by, configOf, floorOf, runOut, say, statusOf, subscribed } from './subscriptions.ts'

const request = { name: 'mailer', max: 1_000, bytesMax: 8 * 1024 * 1024, worker: 'w' }

async function text(store: Store, changes: Partial<typeof request> = {}): Promise<PulledJson> {
  const pulled = await pullJson(store, { ...request, ...changes })
  if (typeof pulled === 'string') throw new Error(pulled)
  return pulled
}

const jsonOf = ({ items }: PulledJson): string => `[${items.map(({ json }) => json).join(',')}]`
const countOf = ({ items }: PulledJson): number => items.reduce((sum, { events }) => sum + events, 0)

/** The items of an answer, from rows. */
const shown = ({ items }: Pulled): string =>
  `[${items.map(({ token, attempt, event }) => `{"token":"${token}","attempt":${attempt},"event":${eventToJson(event)}}`).join(',')}]`

test('the text is that of rows, whatever is in them, of first deliveries and of later ones [P8]', async () => {
  await using store = await subscribed(
    40,
    {},
    {
      payload: `'{ "n": ' || n || '.10e0, "text": "\\u0000 \\ud83d \\" ü 🎈\u0085" }'`,
      source: `'s "' || chr(1 + n::integer) || chr(8232) || '\\ ü🎈/'`,
    },
  )
  await store.pool.query(
    `UPDATE events SET "timestamp" = timestamptz '0099-12-31 23:59:59+00' + n.us * interval '1 us',
       received_at = timestamptz '2025-12-08 10:00:00+00' + n.us * interval '10 us',
       stored_at = timestamptz '9999-12-31 23:59:59+00' + n.us * interval '100 us'
     FROM (SELECT seq, (seq * 1237) % 10000 AS us FROM events) n WHERE n.seq = events.seq`,
  )
  await putSubscription(store, configOf({ name: 'rows' }), by)
  for (const attempt of [1, 2]) {
    const pulled = await text(store)
    const rows = await pull(store, { ...request, name: 'rows' })
    if (typeof rows === 'string') throw new Error(rows)
    expect(countOf(pulled)).toBe(40)
    expect(rows.items.map((one) => one.attempt)).toEqual(Array(40).fill(attempt))
    const ofRows = shown(rows).replaceAll(String(rows.grant), String(pulled.grant))
    expect(jsonOf(pulled)).toBe(ofRows)
    expect(JSON.parse(jsonOf(pulled))).toHaveLength(40)
    await runOut(store)
  }
})

test('an epoch is shown, and tokens of the text settle', async () => {
  await using store = await subscribed(3)
  await store.pool.query('UPDATE topics SET epoch = 2; UPDATE subscriptions.cursors SET epoch = 2')
  const pulled = await text(store, { max: 2 })
  const items = JSON.parse(jsonOf(pulled)) as { token: string; event: { epoch: number; seq: number } }[]
  expect(items.map(({ event }) => [event.epoch, event.seq])).toEqual([
    [2, 1],
    [2, 2],
  ])
  expect(await say(store, 'ack', [items[1]?.token])).toEqual(['done'])
  expect(await say(store, 'ack', [pulled.grant])).toEqual(['done'])
  expect(await floorOf(store)).toBe(2)
})

test('bytes bound the text by whole events, also where many small ones precede large ones', async () => {
  await using store = await subscribed(
    700,
    { outstandingMax: 10_000 },
    { payload: `CASE WHEN n > 600 THEN '"' || repeat('x', 99998) || '"' ELSE '{}' END` },
  )
  expect(countOf(await text(store, { bytesMax: 10 }))).toBe(5)
  const most = await text(store, { bytesMax: 1_000_000 })
  expect([countOf(most), most.more]).toEqual([595 + 9, true]) // 1,190 bytes and 9 of 100,000
  expect(countOf(await text(store, { bytesMax: 1 }))).toBe(1)
  const last = await text(store)
  expect([countOf(last), last.more]).toEqual([83, true])
  expect(countOf(await text(store))).toBe(7)
  expect(await statusOf(store)).toMatchObject({ outstanding: 700 })
})

test.each<Partial<SubscriptionConfig>>([
  { order: 'none' },
  { order: 'source', sourceBatch: 500 },
  { order: 'topic' },
  { filter: { sources: ['a', 'b'] } },
])('rows that somebody has deleted are passed over: %j', async (changes) => {
  await using store = await subscribed(
    900,
    { ...changes, outstandingMax: 10_000 },
    {
      source: `chr(97 + n::integer % 2)`,
    },
  )
  await store.pool.query('DELETE FROM events WHERE seq % 7 = 0 OR seq BETWEEN 300 AND 500')
  const left = 900 - 128 - 201 + 29
  let count = 0
  for (let round = 0; count < left && round < 20; round += 1) {
    const pulled = await text(store, { max: 200 })
    const seqs = (JSON.parse(jsonOf(pulled)) as { event: { seq: number } }[]).map(({ event }) => event.seq)
    expect(seqs.filter((seq) => seq % 7 === 0 || (seq >= 300 && seq <= 500))).toEqual([])
    expect(seqs).toHaveLength(countOf(pulled))
    count += seqs.length
    await say(store, 'ack', [pulled.grant])
  }
  expect(count).toBe(left)
  expect(await statusOf(store)).toMatchObject({ outstanding: 0, waiting: 0, lag: 0 })
})
