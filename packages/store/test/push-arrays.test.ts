/** Which events of a turn go together in a request, and what is written down of those that did. */
import { parsePattern } from '@sekali/core/pattern'
import { expect, test } from 'vitest'
import { readAttempts } from '../src/push/attempts.ts'
import { putPush } from '../src/push/put.ts'
import { redeliver } from '../src/push/redeliver.ts'
import type { PushConfig, PushedEvent, PushOutcome, PushTurn } from '../src/push/types.ts'
import { delivered, endpointOf, failed, idOf, pushed, pushOf, sealed, seqsIn, turn } from './push.ts'
import { add, by, floorOf, runOut, upTo } from './subscriptions.ts'

const within = [parsePattern('>')]

/** One outcome of all events of a request. */
function together(items: readonly PushedEvent[], of: (items: readonly PushedEvent[]) => PushOutcome[]) {
  const [first, ...others] = items as [PushedEvent, ...PushedEvent[]]
  const also = others.map(({ token, topicId, event }) => ({
    ...{ token, topicId, epoch: event.epoch ?? 1 },
    seq: event.seq,
  }))
  return of([first]).map((outcome) => ({ ...outcome, also }))
}

const eachOf = (
  { requests }: PushTurn,
  of: (items: readonly PushedEvent[]) => PushOutcome[] = delivered,
): PushOutcome[] => requests.flatMap((items) => together(items, of))

const seqsOf = ({ requests }: PushTurn) => requests.map((items) => items.map(({ event }) => event.seq))

const sized = (bytes: number) => `('{"t":"' || repeat('x', ${bytes}) || '"}')`

const ordered = (order: PushConfig['order']) => pushed(0, { order, batchMax: 10, topics: parsePattern('>') })

test('what is new goes in arrays, and what goes again goes alone', async () => {
  await using store = await pushed(40, { batchMax: 10 })
  const first = await turn(store, [], { firstMax: 2, againMax: 1, max: 3 })
  expect(seqsOf(first)).toEqual([upTo(10), upTo(20, 11)])
  expect(first).toMatchObject({ moreFirst: true, moreAgain: false })
  const [one = [], two = []] = first.requests
  await turn(store, [...together(one, failed), ...together(two, delivered)], { max: 0 })
  expect((await turn(store, [], { firstMax: 0 })).items).toEqual([])
  await runOut(store)
  const again = await turn(store, [], { firstMax: 2, againMax: 3, max: 4 })
  expect(seqsOf(again)).toEqual([[1], [2], [3], upTo(30, 21)])
  expect(again.items.map(({ attempt }) => attempt).slice(0, 4)).toEqual([2, 2, 2, 1])
  expect(again).toMatchObject({ moreFirst: true, moreAgain: true })
  await turn(store, eachOf(again), { max: 0 })
  const rest = await turn(store)
  expect(seqsOf(rest)).toEqual([...upTo(10, 4).map((seq) => [seq]), upTo(40, 31)])
  await turn(store, eachOf(rest), { max: 0 })
  expect(await floorOf(store)).toBe(40)
  const attempts = await readAttempts(store, { subscription: await idOf(store), within, limit: 100 })
  const of = (state: string) =>
    attempts.filter((one) => one.state === state).map(({ seq, attempt }) => [seq, attempt])
  expect(new Map(of('failed') as [number, number][])).toEqual(new Map(upTo(10).map((seq) => [seq, 1])))
  expect(of('failed')).toHaveLength(10)
  expect(of('delivered')).toHaveLength(40)
})

test('a request of one event each, unless somebody wants more', async () => {
  await using store = await pushed(5)
  expect(seqsOf(await turn(store, [], { firstMax: 3 }))).toEqual([[1], [2], [3]])
})

test('an array has so many bytes, and one event goes whatever its size', async () => {
  await using store = await pushed(0, { batchMax: 100 })
  await add(store, 'orders', 7, { payload: sized(20_000) })
  await add(store, 'orders', 1, { payload: sized(100_000) })
  await add(store, 'orders', 3)
  const first = await turn(store, [], { firstMax: 2 })
  expect(seqsOf(first)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
  expect(first.moreFirst).toBe(true)
  const second = await turn(store)
  expect(seqsOf(second)).toEqual([[7], [8], [9, 10, 11]])
  expect(second.moreFirst).toBe(false)
})

test('with the order of topics an array has the next events of one topic, and retries go one after the other', async () => {
  await using store = await ordered('topic')
  await add(store, 'orders', 15)
  await add(store, 'logins', 3)
  await add(store, 'mails', 2)
  const first = await turn(store)
  const byTopic = (given: PushTurn) =>
    given.requests.map((items) => items.map(({ event }) => `${event.topic} ${event.seq}`)).sort()
  const named = (topic: string, seqs: number[]) => seqs.map((seq) => `${topic} ${seq}`)
  expect(byTopic(first)).toEqual([
    named('logins', upTo(3)),
    named('mails', upTo(2)),
    named('orders', upTo(10)),
  ])
  expect(first).toMatchObject({ moreFirst: false, heldBack: true })
  expect((await turn(store)).items).toEqual([])
  await turn(store, eachOf(first, failed), { max: 0 })
  await runOut(store)
  // One of each topic, and nothing of it until that is settled.
  let given = await turn(store)
  expect(byTopic(given)).toEqual([['logins 1'], ['mails 1'], ['orders 1']])
  expect((await turn(store)).items).toEqual([])
  const seen: number[] = []
  while (given.items.length > 0) {
    expect(new Set(given.items.map(({ event }) => event.topic)).size).toBe(given.requests.length)
    seen.push(...given.items.filter(({ event }) => event.topic === 'orders').map(({ event }) => event.seq))
    given = await turn(store, eachOf(given))
  }
  expect(seen).toEqual(upTo(15))
})

test('with the order of topics an array ends where its bytes do, and the rest waits for it', async () => {
  await using store = await ordered('topic')
  await add(store, 'orders', 5, { payload: sized(20_000) })
  const first = await turn(store)
  expect(seqsOf(first)).toEqual([[1, 2, 3]])
  expect(first).toMatchObject({ moreFirst: false, heldBack: true })
  expect(seqsOf(await turn(store, eachOf(first)))).toEqual([[4, 5]])
})

test('with the order of topics events that somebody wants again go one after the other, too', async () => {
  await using store = await pushed(3, { order: 'topic', batchMax: 10 })
  await turn(store, eachOf(await turn(store)))
  for (const seq of [1, 3]) {
    const wanted = { name: 'mailer', topic: 'orders' as never, seq }
    expect(await redeliver(store, wanted, by)).toBe('queued')
  }
  const first = await turn(store)
  expect(seqsOf(first)).toEqual([[1]])
  expect(seqsOf(await turn(store, eachOf(first)))).toEqual([[3]])
})

test('with the order of sources an array has one event of each', async () => {
  await using store = await ordered('source')
  await add(store, 'orders', 12, { source: `'s' || n % 3` })
  const first = await turn(store)
  expect(seqsOf(first)).toEqual([[1, 2, 3]])
  const second = await turn(store, eachOf(first))
  expect(seqsOf(second)).toEqual([[4, 5, 6]])
  const [array = []] = second.requests
  expect((await turn(store, together(array, failed))).items).toEqual([])
  await runOut(store)
  expect(seqsOf(await turn(store))).toEqual([[4], [5], [6]])
})

test('failures are counted by requests, and who fails gets one event at a time', async () => {
  await using store = await pushed(60, { batchMax: 10 })
  const four = await turn(store, [], { firstMax: 4 })
  await turn(store, eachOf(four, failed), { max: 0 })
  expect(await endpointOf(store)).toMatchObject({ state: 'active', failures: 4 })
  const fifth = await turn(store, [], { firstMax: 1 })
  expect(fifth.items).toHaveLength(10)
  await turn(store, eachOf(fifth, failed), { max: 0 })
  expect(await endpointOf(store)).toMatchObject({ state: 'degraded', failures: 5 })
  await store.pool.query('UPDATE subscriptions.endpoints SET held_until = NULL')
  expect(seqsOf(await turn(store))).toEqual([[51]])
})

test('what was handed out in arrays, and perhaps never sent, goes alone as well', async () => {
  await using store = await pushed(12, { batchMax: 5 })
  const lost = await turn(store)
  expect(seqsOf(lost).map(({ length }) => length)).toEqual([5, 5, 2])
  await runOut(store)
  const again = await turn(store)
  expect(seqsOf(again).slice(0, 3)).toEqual([[1], [2], [3]])
  expect(again.items.map(({ attempt }) => attempt)).toEqual(upTo(10).map(() => 1))
})

test('how many go together is a setting that may change', async () => {
  await using store = await pushed(9)
  expect(await endpointOf(store)).toMatchObject({ batchMax: 1 })
  const outcome = await putPush(store, pushOf({ batchMax: 4 }), sealed, by)
  expect(outcome).toMatchObject({ outcome: 'changed' })
  expect(await putPush(store, pushOf({ batchMax: 4 }), sealed, by)).toMatchObject({ outcome: 'same' })
  expect(await endpointOf(store)).toMatchObject({ batchMax: 4 })
  const given = await turn(store)
  expect([seqsOf(given).map(({ length }) => length), seqsIn(given)]).toEqual([[4, 4, 1], upTo(9)])
  await expect(putPush(store, pushOf({ batchMax: 501 }), sealed, by)).rejects.toThrow()
})
