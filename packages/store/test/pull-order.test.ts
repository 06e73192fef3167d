/** The order of a source or of a topic holds whoever works, and through retries. */
import type { TopicName } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import { expect, test } from 'vitest'
import { summarizeSpans } from '../src/read/spans.ts'
import { discardDead, redriveDead } from '../src/subscriptions/dead.ts'
import type { PulledEvent } from '../src/subscriptions/types.ts'
import {
  add,
  attemptsOf,
  by,
  floorOf,
  get,
  runOut,
  say,
  seqsOf,
  statusOf,
  subscribed,
  tokensOf,
  upTo,
} from './subscriptions.ts'

/** Seqs 1 to 9 are of a, b, c, a, b, c, a, b, c. */
const bySource = { source: `chr(97 + (n - 1)::integer % 3)` }

test('of a source one event is out at a time, and the others wait', async () => {
  await using store = await subscribed(9, { order: 'source' }, bySource)
  const first = await get(store, 9)
  expect(seqsOf(first)).toEqual([1, 2, 3])
  expect(seqsOf(await get(store, 9))).toEqual([])
  expect(await statusOf(store)).toMatchObject({ lag: 9, outstanding: 3, waiting: 6 })
  expect(await say(store, 'ack', tokensOf(first).slice(1, 2))).toEqual(['done'])
  expect(seqsOf(await get(store, 9))).toEqual([5])
  expect(await say(store, 'ack', tokensOf(first))).toEqual(['done', 'already_settled', 'done'])
  expect(await floorOf(store)).toBe(3)
  expect(seqsOf(await get(store, 9))).toEqual([4, 6])
})

test('a retry goes before what is newer of its source', async () => {
  await using store = await subscribed(9, { order: 'source' }, bySource)
  const [a, b, c] = tokensOf(await get(store, 9))
  await say(store, 'nak', [a], { delaySeconds: 60 })
  await say(store, 'release', [b])
  await say(store, 'ack', [c])
  const second = await get(store, 9)
  expect([seqsOf(second), attemptsOf(second)]).toEqual([
    [2, 6],
    [1, 1],
  ])
  await say(store, 'ack', [second.grant])
  expect(seqsOf(await get(store, 9))).toEqual([5, 9])
  await runOut(store, 'NOT leased')
  const retried = await get(store, 9)
  expect([seqsOf(retried), attemptsOf(retried)]).toEqual([[1], [2]])
  await say(store, 'ack', [retried.grant])
  expect(seqsOf(await get(store, 9))).toEqual([4])
})

test('a span whose sources are all busy is passed over until one is free', async () => {
  const source = `CASE WHEN n IN (500, 600) THEN 'c' WHEN n = 1100 THEN 'b' ELSE 'a' END`
  await using store = await subscribed(1_200, { order: 'source', outstandingMax: 2_000 }, { source })
  expect(await summarizeSpans(store, 'orders' as TopicName, 10)).toBe(1)
  expect(seqsOf(await get(store, 1))).toEqual([1])
  const second = await get(store, 9)
  expect(seqsOf(second)).toEqual([500, 1100])
  expect(seqsOf(await get(store, 9))).toEqual([])
  expect(await statusOf(store)).toMatchObject({ outstanding: 3, waiting: 1_197 })
  await say(store, 'ack', tokensOf(second).slice(0, 1))
  expect(seqsOf(await get(store, 9))).toEqual([600])
})

test('the window names the sources that keep others waiting when it is full', async () => {
  await using store = await subscribed(20, { order: 'source', outstandingMax: 4 }, { source: `'busy'` })
  await add(store, 'orders', 1, { source: `'other'` })
  const { grant } = await get(store, 9)
  expect(await statusOf(store)).toMatchObject({ outstanding: 1, waiting: 3 })
  expect(await get(store, 9)).toMatchObject({
    items: [],
    more: false,
    blockedBy: [{ topic: 'orders', source: 'busy' }],
  })
  await say(store, 'ack', [grant])
  expect(seqsOf(await get(store, 9))).toEqual([2])
})

test('several of a source go to one worker together, if that is wanted, and ascending', async () => {
  await using store = await subscribed(30, { order: 'source', sourceBatch: 4 }, bySource)
  const first = await get(store, 8)
  expect(seqsOf(first)).toEqual([1, 2, 4, 5, 7, 8, 10, 11])
  const [, , , b] = tokensOf(first)
  const second = await get(store, 8)
  expect(seqsOf(second)).toEqual([3, 6, 9, 12])
  // One of b comes back. Nobody else gets it while the first worker has others of b.
  await say(store, 'release', [b])
  expect(seqsOf(await get(store, 8))).toEqual([])
  await runOut(store)
  const again = await get(store, 100)
  expectAscending(again.items)
  expect(seqsOf(again).sort((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 7, 9, 10, 12])
  await say(store, 'ack', [again.grant])
  expect(seqsOf(await get(store, 4))).toEqual([8, 11, 13, 16])
})

const expectAscending = (items: readonly PulledEvent[]) => {
  for (const [, of] of Map.groupBy(items, ({ event }) => event.source)) {
    const seqs = of.map(({ event }) => event.seq)
    expect(seqs).toEqual([...seqs].sort((x, y) => x - y))
  }
}

test('of a topic one batch is out at a time', async () => {
  await using store = await subscribed(9, { order: 'topic', topics: parsePattern('>') })
  await add(store, 'users', 9)
  const first = await get(store, 4)
  const second = await get(store, 4)
  expect([...topicsOf(first.items), ...topicsOf(second.items)].sort()).toEqual(['orders', 'users'])
  expect([seqsOf(first), seqsOf(second)]).toEqual([upTo(4), upTo(4)])
  expect(seqsOf(await get(store, 4))).toEqual([])
  await say(store, 'ack', tokensOf(first).slice(0, 3))
  expect(seqsOf(await get(store, 4))).toEqual([])
  await say(store, 'nak', tokensOf(first).slice(3), { delaySeconds: 60 })
  expect(seqsOf(await get(store, 4))).toEqual([])
  await runOut(store, 'NOT leased')
  const retried = await get(store, 4)
  expect([seqsOf(retried), topicsOf(retried.items)]).toEqual([[4], topicsOf(first.items)])
  await say(store, 'ack', [retried.grant])
  expect(seqsOf(await get(store, 4))).toEqual([5, 6, 7, 8])
})

const topicsOf = (items: readonly PulledEvent[]) => [...new Set(items.map(({ event }) => event.topic))]

test('a dead event blocks its source, if that is wanted, until somebody deals with it', async () => {
  await using store = await subscribed(9, { order: 'source', onExhausted: 'block' }, bySource)
  const [a, ...others] = tokensOf(await get(store, 9))
  expect(await say(store, 'term', [a], { reason: 'no such customer' })).toEqual(['done'])
  await say(store, 'ack', others)
  expect(await floorOf(store)).toBe(3)
  expect(seqsOf(await get(store, 9))).toEqual([5, 6])
  expect(await statusOf(store)).toMatchObject({ dead: 1, blocked: [{ topic: 'orders', source: 'a' }] })
  expect(await discardDead(store, 1, 'a test', by)).toBe('discarded')
  expect(seqsOf(await get(store, 9))).toEqual([4])
})

test('a dead event blocks its topic likewise, and goes first when it is redriven', async () => {
  await using store = await subscribed(9, { order: 'topic', onExhausted: 'block' })
  const [one, two] = tokensOf(await get(store, 2))
  await say(store, 'term', [one])
  await say(store, 'ack', [two])
  expect(seqsOf(await get(store, 9))).toEqual([])
  expect(await statusOf(store)).toMatchObject({ blocked: [{ topic: 'orders', source: null }] })
  expect(await redriveDead(store, 1, by)).toBe('redriven')
  const redriven = await get(store, 9)
  expect(seqsOf(redriven)).toEqual([1])
  expect(seqsOf(await get(store, 9))).toEqual([])
  await say(store, 'ack', [redriven.grant])
  expect(seqsOf(await get(store, 9))).toEqual(upTo(9, 3))
})

test('16 workers at 50 sources: one outstanding of each at most, ascending, and all are delivered', async () => {
  const events = 300
  await using store = await subscribed(
    events,
    { order: 'source', deliveriesMax: 1_000 },
    { source: `'s' || (n * 7919 + n / 13) % 50` },
  )
  const busy = new Set<string>()
  const last = new Map<string, number>()
  let settled = 0
  const work = async (worker: number) => {
    for (let round = 0; settled < events; round += 1) {
      const { items } = await get(store, 1 + ((worker + round) % 7))
      for (const { event } of items) {
        expect(busy.has(event.source), `${event.source} ${event.seq}`).toBe(false)
        expect(event.seq).toBeGreaterThan(last.get(event.source) ?? 0)
        busy.add(event.source)
      }
      for (const { event, token } of items) {
        const naks = (event.seq + round) % 11 === 0
        // Before the call: once it is answered, others may have been given the source's next one.
        busy.delete(event.source)
        if (!naks) last.set(event.source, event.seq)
        expect(await say(store, naks ? 'nak' : 'ack', [token])).toEqual(['done'])
        if (!naks) settled += 1
      }
    }
  }
  await Promise.all(upTo(16).map(work))
  expect(settled).toBe(events)
  expect(await floorOf(store)).toBe(events)
})
