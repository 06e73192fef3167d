import { BrokerUnavailable } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { type Position, timeOf } from '@sekali/core/position'
import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, inject, test, vi } from 'vitest'
import { readTopics } from '../src/operate/topics.ts'
import type { Store, Tx } from '../src/postgres/connect.ts'
import { digestOf, readOutcomes } from '../src/read/outcomes.ts'
import { readNewest, readTopic } from '../src/read/topic.ts'
import { commitBatches, commitEvents, type Outcome } from '../src/turn/commit.ts'
import type { Received } from '../src/turn/copy.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'
import { queueTurnEnd, type Turn, withTurn, withTurns } from '../src/turn/turn.ts'

const orders = 'orders' as TopicName

const received = (...ids: string[]): Received[] =>
  ids.map((eventId) => ({ event: event({ eventId }), receivedAt: '2025-12-08T10:00:01.000000Z' }))

async function commit(store: Store, items: readonly Received[], topic = orders) {
  await ensureTopics(store, [topic])
  const committed = await withTurn(store, [topic], async (tx, turn) => {
    const outcome = await commitEvents(tx, turn, items)
    end(tx, turn, outcome)
    return counted(outcome)
  })
  if (committed === undefined) throw new Error('somebody else has the turn')
  return committed
}

const counted = ({ stored, duplicates, conflicts }: Outcome) => ({ stored, duplicates, conflicts })

function end(tx: Tx, turn: Turn, outcome: Outcome): void {
  const accounted = turn.accounted + outcome.stored + outcome.duplicates + outcome.conflicts
  const position = '1-1' as Position
  const account = { group: 'g', position, accounted, seen: accounted, seenId: position, epoch: null }
  queueTurnEnd(tx, turn, { ...outcome, ...account, foundLoss: false, dead: 0, lost: 0 })
}

test('a batch delivered twice is stored once [P4]', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  expect(await commit(store, received('a', 'b'))).toEqual({ stored: 2, duplicates: 0, conflicts: 0 })
  expect(await commit(store, received('a', 'b'))).toEqual({ stored: 0, duplicates: 2, conflicts: 0 })
})

test('duplicates burn no number [P5]', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  await commit(store, received('a', 'a', 'b', 'a'))
  await commit(store, received('b', 'c', 'a', 'd'))
  const { events } = await readTopic(store, { topic: orders, after: 0, limit: 10 })
  expect(events.map(({ seq, eventId }) => `${seq}${eventId}`)).toEqual(['1a', '2b', '3c', '4d'])
  expect(await readTopics(store)).toMatchObject([{ stored: 4, duplicates: 4, headSeq: 4 }])
})

test('a batch may be one event or tens of thousands', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  for (const size of [1, 999, 20_000]) {
    const ids = Array.from({ length: size }, (_, index) => `${size}-${index}`)
    expect(await commit(store, received(...ids))).toEqual({ stored: size, duplicates: 0, conflicts: 0 })
  }
})

test('however many come, and whatever was expected of them, each is stored once and numbered in order [P4] [P5]', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const ids = (from: number, count: number) => Array.from({ length: count }, (_, index) => `${from + index}`)
  const all = ids(0, 30_000)
  const tally = async (batch: string[]) => Object.values(await commit(store, received(...batch)))
  // Long enough without a repeat, the store no longer looks for one beforehand.
  for (let from = 0; from < 11_000; from += 1_000) {
    expect(await tally(all.slice(from, from + 1_000))).toEqual([1_000, 0, 0])
  }
  expect(await tally([...all.slice(11_000, 11_500), ...all.slice(7, 9)])).toEqual([500, 2, 0])
  expect(await tally([...all.slice(11_400, 11_510)])).toEqual([10, 100, 0])
  expect(await tally([...all.slice(11_500, 11_520)])).toEqual([10, 10, 0])
  const { rows } = await store.pool.query('SELECT event_id, seq::int FROM events ORDER BY seq')
  expect(rows).toEqual(all.slice(0, 11_520).map((id, index) => ({ event_id: id, seq: index + 1 })))
})

test('another content under a known id is a conflict, also when nothing known was expected', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const ids = Array.from({ length: 10_000 }, (_, index) => `${index}`)
  for (let from = 0; from < ids.length; from += 5_000) {
    await commit(store, received(...ids.slice(from, from + 5_000)))
  }
  for (const [size, known] of [[100, 17] as const, [3, 18] as const]) {
    const other: Received = {
      event: event({ eventId: `${known}`, payload: '{"other":1}' }),
      receivedAt: '2025-12-08T10:00:01.000000Z',
    }
    const fresh = received(...ids.slice(0, size - 1).map((id) => `${size}-${id}`))
    expect(await commit(store, [...fresh, other])).toEqual({
      stored: size - 1,
      duplicates: 0,
      conflicts: 1,
    })
  }
})

test('a turn is exclusive: who comes second is told that it is taken, and does not wait [P2]', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  await ensureTopics(store, [orders, 'other' as TopicName])
  const topicOf = async (_: unknown, { topic }: Turn) => topic
  await withTurn(store, [orders], async () => {
    expect(await withTurn(store, [orders], topicOf)).toBeUndefined()
    expect(await withTurn(store, [orders, 'other' as TopicName], topicOf)).toBe('other')
  })
  expect(await withTurn(store, ['other' as TopicName, orders], topicOf)).toBe('other')
})

test('topics that are there use up no ids, however often they are asked for', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  for (let time = 1; time <= 5; time++) await ensureTopics(store, [orders])
  await ensureTopics(store, ['other' as TopicName, orders])
  const idOf = async (_: unknown, { topicId }: Turn) => topicId
  expect(await withTurn(store, ['other' as TopicName], idOf)).toBe(2)
})

test('turns of several topics are committed together: each topic is numbered, and told known from new, by itself', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const [a, b, c] = ['a', 'b', 'c'].map((name) => name as TopicName) as [TopicName, TopicName, TopicName]
  for (const topic of [a, b, c]) await commit(store, received('known'), topic)
  await commit(store, received('older'), b) // so that their heads differ
  const other = {
    ...received('known')[0],
    event: event({ eventId: 'known', payload: '"other"' }),
  } as Received
  const batches = [received('known', 'x', 'y'), [other, ...received('x', 'z', 'x')], received('x')]
  const give = () =>
    withTurn(store, [c], async () =>
      withTurns(store, [a, c, b], 3, async (tx, turns) => {
        expect(turns.map(({ topic }) => topic)).toEqual([a, b]) // somebody has c
        const outcomes = await commitBatches(
          tx,
          turns.map((turn, index) => ({ turn, received: batches[index] as Received[] })),
        )
        for (const [index, turn] of turns.entries()) end(tx, turn, outcomes[index] as Outcome)
        return outcomes.map(counted)
      }),
    )
  expect(await give()).toEqual([
    { stored: 2, duplicates: 1, conflicts: 0 },
    { stored: 2, duplicates: 1, conflicts: 1 },
  ])
  const numbers = async (topic: TopicName) =>
    (await readTopic(store, { topic, after: 0, limit: 10 })).events.map(
      ({ seq, eventId }) => `${seq}${eventId}`,
    )
  expect(await Promise.all([a, b, c].map(numbers))).toEqual([
    ['1known', '2x', '3y'],
    ['1known', '2older', '3x', '4z'],
    ['1known'],
  ])
})

test('turns of several topics are taken for new together, and told apart when one of them has a repeat', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const topics = ['a', 'b', 'c'].map((name) => name as TopicName)
  const hundred = (from: number) => received(...Array.from({ length: 100 }, (_, index) => `${from + index}`))
  // Of different lengths, so that a topic's numbers are not another's.
  for (const [at, topic] of topics.entries())
    for (let round = 0; round <= at; round++) await commit(store, hundred(100 * round), topic)
  const share = (...batches: Received[][]) =>
    withTurns(store, topics, 3, async (tx, turns) => {
      using query = vi.spyOn(tx.$client, 'query')
      const outcomes = await commitBatches(
        tx,
        turns.map((turn, at) => ({ turn, received: batches[at] as Received[] })),
      )
      for (const [at, turn] of turns.entries()) end(tx, turn, outcomes[at] as Outcome)
      const lookUp = query.mock.calls.findIndex(([sent]) => (sent as { name?: string }).name === 'find_known')
      const way = lookUp === -1 ? 'guessed' : lookUp === 0 ? 'looked up' : 'guessed, then looked up'
      return { way, tally: outcomes.map((outcome) => Object.values(counted(outcome))) }
    })
  const two = received('x', 'y')
  expect(await share(two, received('x'), two)).toEqual({
    way: 'guessed',
    tally: [
      [2, 0, 0],
      [1, 0, 0],
      [2, 0, 0],
    ],
  })
  expect(await share(received('z'), received('v', 'x', 'w'), received('z'))).toEqual({
    way: 'guessed, then looked up',
    tally: [
      [1, 0, 0],
      [2, 1, 0],
      [1, 0, 0],
    ],
  })
  const numbers = async (topic: TopicName, after: number) =>
    (await readTopic(store, { topic, after, limit: 10 })).events.map(({ seq, eventId }) => `${seq}${eventId}`)
  expect(await Promise.all(topics.map((topic, at) => numbers(topic, 100 * (at + 1))))).toEqual([
    ['101x', '102y', '103z'],
    ['201x', '202v', '203w'],
    ['301x', '302y', '303z'],
  ])
})

test('a reader never sees a later number before an earlier one, whatever the commits are doing [P5]', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  await ensureTopics(store, [orders])
  let writing = true
  const seen: number[] = []
  const reader = (async () => {
    while (writing) {
      const { events } = await readTopic(store, { topic: orders, after: seen.at(-1) ?? 0, limit: 100 })
      seen.push(...events.map(({ seq }) => seq))
    }
  })()
  for (let round = 0; round < 50; round++) {
    await commit(store, received(`${round}a`, `${round}b`))
    const rolledBack = withTurn(store, [orders], async (tx, turn) => {
      await commitEvents(tx, turn, received(`${round}x`))
      throw new BrokerUnavailable('give up')
    })
    await expect(rolledBack).rejects.toThrow()
  }
  writing = false
  await reader
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1))
  expect(seen.length).toBeGreaterThan(0)
})

test('should somebody write past the turn, the unique key refuses [P4]', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  await commit(store, received('a'))
  const insert = `INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
    SELECT topic_id, seq + 1, event_id, "timestamp", source, payload, received_at FROM events`
  await expect(store.pool.query(insert)).rejects.toMatchObject({ code: '23505' })
})

test('pages of all topics come newest first', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  for (const [topic, id] of [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['c', '4'],
  ] as const) {
    await commit(store, received(id), topic as TopicName)
  }
  const newest = await readNewest(store, 3)
  expect(newest.map(({ topic, eventId }) => topic + eventId)).toEqual(['c4', 'a3', 'b2'])
  expect((await readTopic(store, { topic: 'a', before: 2, limit: 3 })).events).toMatchObject([
    { eventId: '1' },
  ])
  expect(await readTopic(store, { topic: 'none', limit: 3 })).toEqual({ events: [], more: false })
})

test('the look-up stays a descent of the index when a log that was small becomes large', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  await commit(store, received(...Array.from({ length: 20 }, (_, index) => `small-${index}`)))
  await store.pool.query('ANALYZE events')
  await withTurn(store, [orders], async (tx, turn) => {
    const batch = received('small-1', ...Array.from({ length: 99 }, (_, index) => `none-${index}`))
    // PostgreSQL considers a plan for keeps from the sixth execution of a session.
    for (let round = 1; round <= 7; round++) {
      await tx.$client.query('SAVEPOINT round')
      await commitEvents(tx, turn, batch)
      await tx.$client.query('ROLLBACK TO SAVEPOINT round')
    }
    await tx.$client.query(`
      INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
      SELECT 1, n, 'large-' || n, now(), 's', '{}', now() FROM generate_series(21, 20000) n`)
    const { rows } = await tx.$client.query(`EXPLAIN EXECUTE find_known ('{1,1}', '{a,b}', '{9,9}')`)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('events_topic_id_event_id_unique')
    expect(plan).not.toContain('Seq Scan')
  })
})

test('a seq that is taken is nobody’s dead letter: the turn fails, to be tried again', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  await commit(store, received('a', 'b', 'c'))
  await store.pool.query('UPDATE topics SET head = head - 2')
  const refused = expect.objectContaining({
    code: 'store_unavailable',
    message: expect.stringContaining('topics.head'),
  })
  await expect(commit(store, received('d'))).rejects.toEqual(refused)
  await expect(commit(store, received(...Array.from({ length: 100 }, (_, i) => `m${i}`)))).rejects.toEqual(
    refused,
  )
})

test('an entry that left no trace is a duplicate only of what came before it with the same payload', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const stored = event({ eventId: 'a', payload: '{"n":1}' })
  const at = 1_700_000_000_000
  await commit(store, [{ event: stored, receivedAt: timeOf(`${at}-5` as Position) }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9`])
  const outcome = async (number: number, payload: string) => {
    const position = `${at}-${number}` as Position
    const sent = { topic: orders, eventId: stored.eventId, position, digest: digestOf(payload) }
    return (await readOutcomes(store, [sent]))[0]
  }
  expect(await outcome(5, '{"n":1}')).toEqual({ status: 'stored', seq: 1 })
  expect(await outcome(6, '{"n":1}')).toEqual({ status: 'duplicate', seq: 1 })
  expect(await outcome(6, '{"n":2}')).toEqual({ status: 'lost' })
  expect(await outcome(4, '{"n":1}')).toEqual({ status: 'lost' })
  expect(await outcome(10, '{"n":1}')).toEqual({ status: 'queued' })
})

test('what a version before stored beyond the 999th of a millisecond was there before all that comes now', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const stored = event({ eventId: 'a', payload: '{"n":1}' })
  const at = 1_700_000_000_000
  await commit(store, [{ event: stored, receivedAt: timeOf(`${at}-1500` as Position) }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9000`])
  const outcome = async (payload: string) => {
    const position = `${at}-2000` as Position
    const sent = { topic: orders, eventId: stored.eventId, position, digest: digestOf(payload) }
    return (await readOutcomes(store, [sent]))[0]
  }
  expect(await outcome('{"n":1}')).toEqual({ status: 'duplicate', seq: 1 })
  expect(await outcome('{"n":2}')).toEqual({ status: 'lost' })
})

test('beyond the 999th of a millisecond, too, an entry is a duplicate only of what came before it', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const stored = event({ eventId: 'a', payload: '{"n":1}' })
  const at = 1_700_000_000_000
  const position = `${at}-1500` as Position
  await commit(store, [{ event: stored, receivedAt: timeOf(position), position }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9000`])
  const outcome = async (number: number) => {
    const sent = { topic: orders, eventId: stored.eventId, digest: digestOf(stored.payload) }
    return (await readOutcomes(store, [{ ...sent, position: `${at}-${number}` as Position }]))[0]
  }
  expect(await outcome(999)).toEqual({ status: 'lost' })
  expect(await outcome(1_499)).toEqual({ status: 'lost' })
  expect(await outcome(1_500)).toEqual({ status: 'stored', seq: 1 })
  expect(await outcome(1_501)).toEqual({ status: 'duplicate', seq: 1 })
})

test('an ordinary entry costs no row of ids', async () => {
  await using store = await ownStore(inject('postgresUrl'))
  const of = (number: number) => {
    const position = `1700000000000-${number}` as Position
    return { event: event({ eventId: `e${number}` }), receivedAt: timeOf(position), position }
  }
  await commit(store, [of(0), of(998), of(999), of(1_000)])
  const { rows } = await store.pool.query('SELECT entry_id FROM entry_ids ORDER BY seq')
  expect(rows.map((row) => row.entry_id)).toEqual(['1700000000000-999', '1700000000000-1000'])
})
