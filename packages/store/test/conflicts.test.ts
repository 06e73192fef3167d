import type { Event, TopicName } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import { type Position, timeOf } from '@sekali/core/position'
import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { accountFor } from '@sekali/testkit/store-events'
import { expect, test, vi } from 'vitest'
import type { Store, Tx } from '../src/postgres/connect.ts'
import { digestOf, readOutcomes } from '../src/read/outcomes.ts'
import { commitBisecting, type ReceivedEntry } from '../src/turn/bisect.ts'
import { type BatchCounts, commitBatches, streaksOf } from '../src/turn/commit.ts'
import type { Received } from '../src/turn/copy.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'
import type { Batch } from '../src/turn/part.ts'
import { withTurns } from '../src/turn/turn.ts'
import { chance, createModel } from './model.ts'

const at = 1_700_000_000_000

/** Received one after the other, from the number given on. */
const received = (events: readonly Event[], from = 0): ReceivedEntry[] =>
  events.map((one, index) => {
    const position = `${at + from + index}-0` as Position
    return { event: one, receivedAt: timeOf(position), position, fields: ['e', one.payload] }
  })

const other = (eventId: string, content: number | string, topic = 'orders') =>
  event({ topic, eventId, payload: `{"v":${JSON.stringify(content)}}` })

/** Commits each topic's events in a turn, all in one transaction, and counts the statements that it took. */
async function commit(
  store: Store,
  items: readonly Received[],
  way: (tx: Tx, batches: readonly Batch[]) => Promise<BatchCounts[]> = commitBatches,
) {
  const topics = [...new Set(items.map((item) => item.event.topic))]
  await ensureTopics(store, topics)
  const committed = await withTurns(store, topics, topics.length, async (tx, turns) => {
    const batches = turns.map((turn) => ({
      turn,
      received: items.filter((item) => item.event.topic === turn.topic),
    }))
    using query = vi.spyOn(tx.$client, 'query')
    const outcomes = await way(tx, batches)
    const statements = query.mock.calls.length
    for (const [index, turn] of turns.entries()) accountFor(tx, turn, outcomes[index] as BatchCounts, at)
    return { statements, outcomes: new Map(turns.map(({ topic }, index) => [topic, outcomes[index]])) }
  })
  if (committed === undefined) throw new Error('somebody else has the turn')
  return committed
}

const rowsOf = async (store: Store, table: 'events' | 'conflicts') => {
  const time = (column: string) => `to_char(r."${column}", 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "${column}"`
  const { rows } = await store.pool.query(`
    SELECT t.name, r.seq, r.event_id, r.source, r.payload::text, ${time('timestamp')}, ${time('received_at')}
    FROM ${table} r JOIN topics t ON t.id = r.topic_id ORDER BY t.name, r.${table === 'events' ? 'seq' : 'id'}`)
  return rows.map((row) => Object.values(row).join(' '))
}

/** Every batch by halves first, as where PostgreSQL refuses something. */
const bisecting = (tx: Tx, batches: readonly Batch[]) =>
  inTurn(batches, ({ turn, received: items }) => commitBisecting(tx, turn, items as ReceivedEntry[]))

async function inTurn<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const one of list) results.push(await work(one))
  return results
}

test('whatever repeats itself in a batch, it comes to what events taken one by one come to [P4] [P7]', async () => {
  await using store = await ownStore()
  const int = chance(42)
  const topics = ['a', 'b', 'c']
  const models = new Map(topics.map((topic) => [topic, createModel()]))
  for (let round = 0; round < 60; round++) {
    const sharing = topics.slice(0, 1 + int(3))
    const events = Array.from({ length: 1 + int(80) }, () => {
      // Few ids and contents, and as many new ids as a round has events at the most.
      const eventId = int(3) === 0 ? `${round}-${int(20)}` : `x${int(8)}`
      const payload = `{"v":"${'v'.repeat(int(3))}${int(2)}"}`
      const timestamp = `2025-12-08T10:00:00.${int(6) === 0 ? '500000' : '123456'}Z`
      return event({
        topic: sharing[int(sharing.length)] as string,
        eventId,
        payload,
        timestamp,
        source: `s${int(2)}`,
      })
    })
    const items = received(events, round * 100)
    // By a guess that may turn out wrong, or by a look-up.
    for (const topic of topics.keys()) streaksOf(store).set(topic + 1, int(2) === 0 ? 1e9 : 0)
    const { outcomes } = await commit(store, items, int(5) === 0 ? bisecting : commitBatches)
    for (const [topic, outcome] of outcomes) {
      const mine = items.filter((item) => item.event.topic === topic)
      expect(outcome).toMatchObject(models.get(topic)?.take(mine) ?? {})
    }
  }
  const all = (pick: (model: ReturnType<typeof createModel>) => string[]) =>
    [...models.values()].flatMap(pick)
  expect(await rowsOf(store, 'events')).toEqual(all((model) => model.events()))
  expect(await rowsOf(store, 'conflicts')).toEqual(all((model) => model.conflicts()))
})

test('a batch takes the same few statements however often the content of its ids changes', async () => {
  await using store = await ownStore()
  const alternating = Array.from({ length: 2_000 }, (_, index) => other('x', index % 2))
  const tally = ({ stored, duplicates, conflicts }: BatchCounts) => [stored, duplicates, conflicts]
  const comesTo = async (events: readonly Event[], from: number) => {
    const { statements, outcomes } = await commit(store, received(events, from))
    expect(statements).toBeLessThanOrEqual(5)
    return [...outcomes.values()].map((outcome) => tally(outcome as BatchCounts))
  }
  expect(await comesTo(alternating, 0)).toEqual([[1, 999, 1_000]])
  // Against what is stored by then, beginning with the other content.
  expect(await comesTo(alternating.toReversed(), 2_000)).toEqual([[0, 1_000, 1_000]])
  const distinct = Array.from({ length: 1_000 }, (_, index) => other('y', index))
  expect(await comesTo(distinct, 4_000)).toEqual([[1, 0, 999]])
  const shared = ['p', 'q'].flatMap((topic) => distinct.map((one) => ({ ...one, topic: topic as TopicName })))
  expect(await comesTo([...shared, ...shared.toReversed()], 5_000)).toEqual([
    [1, 1, 1_998],
    [1, 1, 1_998],
  ])
})

test('beyond a topic’s share of bytes stubs are kept, and receipts and figures stay true [P7]', async () => {
  await using store = await ownStore()
  const large = (fill: string) => other('x', fill.repeat(256 * 1_000))
  const items = received([
    other('x', 0),
    ...Array.from({ length: 20 }, () => large('a')),
    ...'bc'.split('').map(large),
  ])
  await commit(store, items.slice(0, 12))
  await commit(store, items.slice(12), bisecting)
  const { rows } = await store.pool.query(`
    SELECT count(*)::int AS rows, count(payload)::int AS payloads, count(source)::int AS sources,
      count("timestamp")::int AS timestamps, min(seq)::int AS seq, sum(octet_length(payload::text))::int AS bytes
    FROM conflicts`)
  expect(rows).toEqual([
    { rows: 22, payloads: 16, sources: 16, timestamps: 16, seq: 1, bytes: expect.any(Number) },
  ])
  const topics = await store.pool.query('SELECT kept_bytes::int, conflicts::int FROM topics')
  expect(topics.rows).toEqual([{ kept_bytes: rows[0].bytes + 16 * 'shop'.length, conflicts: 22 }])
  expect(topics.rows[0].kept_bytes).toBeLessThanOrEqual(limits.keptBytesMax)
  // Another topic has a share of its own.
  await commit(store, received([other('x', 0, 'quiet'), other('x', 1, 'quiet')]))
  expect(await rowsOf(store, 'conflicts')).toContainEqual(expect.stringContaining('quiet 1 x shop {"v":1}'))
  const receipts = await readOutcomes(
    store,
    items.map(({ event: { payload, ...event }, position }) => ({
      ...event,
      position,
      digest: digestOf(payload),
    })),
  )
  expect(receipts).toEqual(items.map((_, index) => ({ status: index === 0 ? 'stored' : 'conflict', seq: 1 })))
})

test('small events under the ids of large ones do not make a turn read these', async () => {
  await using store = await ownStore()
  const ids = Array.from({ length: 100 }, (_, index) => `x${index}`)
  await commit(store, received(ids.map((id) => other(id, 'v'.repeat(100_000)))))
  let bytes = 0
  const { outcomes } = await commit(
    store,
    received(
      ids.map((id) => other(id, 1)),
      100,
    ),
    async (tx, batches) => {
      const { stream } = (tx.$client as unknown as { connection: { stream: { bytesRead: number } } })
        .connection
      bytes = -stream.bytesRead
      const result = await commitBatches(tx, batches)
      bytes += stream.bytesRead
      return result
    },
  )
  expect([...outcomes.values()]).toMatchObject([{ conflicts: 100 }])
  expect(bytes).toBeLessThan(100_000)
  // Those that are as large are compared.
  const again = ids.map((id, index) => other(id, 'v'.repeat(100_000 - (index % 2))))
  const compared = await commit(store, received(again, 200))
  expect([...compared.outcomes.values()]).toMatchObject([{ conflicts: 50, duplicates: 50 }])
})

test('a receipt of an id that has many conflicts reads the one of its entry', async () => {
  await using store = await ownStore()
  const items = received(Array.from({ length: 3_000 }, (_, index) => other('x', index)))
  await commit(store, items)
  const read = async () => {
    await store.pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await store.pool.query(`SELECT coalesce(seq_tup_read + idx_tup_fetch, 0)::int AS rows
      FROM pg_stat_user_tables WHERE relname = 'conflicts'`)
    return rows[0].rows
  }
  const before = await read()
  const sent = items.slice(-10).map(({ event: { payload, ...event }, position }) => ({
    ...event,
    position,
    digest: digestOf(payload),
  }))
  expect(await readOutcomes(store, sent)).toEqual(sent.map(() => ({ status: 'conflict', seq: 1 })))
  expect((await read()) - before).toBeLessThan(100)
})
