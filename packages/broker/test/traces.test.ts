/** Traces beside the packs: an entry stays as it is, so that every version can read it. */
import type { Position } from '@sekali/core/position'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { traceArguments, tracesMax } from '../src/append/traces.ts'
import type { Broker } from '../src/redis/connect.ts'
import { streamKey, tracesKey } from '../src/redis/keys.ts'
import { type Packs, takeTraces } from '../src/turn/traces.ts'

const topic = event().topic
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => event({ eventId: `e${from + n}` }))

const turnOf = (packs: readonly string[]) => ({
  first: packs[0] as Position,
  last: packs.at(-1) as Position,
})

const take = async (broker: Broker, turns: readonly Packs[]) =>
  (await takeTraces(broker, new Map([[topic, turns]]))).get(topic)

async function ownAppender() {
  const broker = await ownBroker()
  return {
    broker,
    appender: createAppender(broker, () => {}),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
}

test('a pack’s trace has the pack’s own id, and the pack has no field more', async () => {
  await using own = await ownAppender()
  const { broker, appender } = own
  await appender.appendAll(numbered(100), 'trace-1')
  await appender.append(event({ eventId: 'plain' }))
  await appender.appendAll([event({ eventId: 'traced' })], 'trace-2')
  const packs = await broker.redis.xrange(streamKey(broker, topic), '-', '+')
  expect(packs.every(([, fields]) => fields.length === 2 && fields[0] === 'e')).toBe(true)
  const traces = await broker.redis.xrange(tracesKey(broker, topic), '-', '+')
  const traced = packs.filter(([, fields]) => !String(fields[1]).startsWith('plain'))
  expect(traces.map(([id]) => id)).toEqual(traced.map(([id]) => id))
  expect(traces.map(([, fields]) => fields[1])).toEqual([
    ...Array(traced.length - 1).fill('trace-1'),
    'trace-2',
  ])

  const ids = packs.map(([id]) => id)
  const last = traced.length - 1
  expect(await take(broker, [turnOf(ids.slice(0, -1))])).toEqual([Array(last).fill('trace-1')])
  expect(await take(broker, [turnOf(ids)])).toEqual([['trace-2']])
  expect(await broker.redis.xlen(tracesKey(broker, topic))).toBe(0)
})

test('each turn has the traces of its own packs, and another consumer’s stay', async () => {
  await using own = await ownAppender()
  const { broker, appender } = own
  for (const name of ['a', 'b', 'theirs', 'c']) await appender.appendAll([event({ eventId: name })], name)
  const ids = (await broker.redis.xrange(streamKey(broker, topic), '-', '+')).map(([id]) => id)
  const turns = [ids.slice(0, 1), ids.slice(1, 2), ids.slice(3)].map(turnOf)
  expect(await take(broker, turns)).toEqual([['a'], ['b'], ['c']])
  expect(await take(broker, turns)).toEqual([[], [], []])
  expect(await take(broker, [turnOf(ids.slice(2, 3))])).toEqual([['theirs']])
})

test('traced and plain appends of one moment keep their order, and the count of entries is right', async () => {
  await using own = await ownAppender()
  const { broker, appender } = own
  await Promise.all(
    numbered(60).map((one, n) => appender.appendAll([one], n % 3 === 0 ? `trace-${n}` : undefined)),
  )
  const packs = await broker.redis.xrange(streamKey(broker, topic), '-', '+')
  const ids = packs.flatMap(([, fields]) =>
    String(fields[1])
      .split('\0\0')
      .map((text) => text.split('\0')[0]),
  )
  expect(ids).toEqual(numbered(60).map(({ eventId }) => eventId))
  const info = (await broker.redis.call('XINFO', 'STREAM', streamKey(broker, topic))) as unknown[]
  expect(info[info.indexOf('entries-added') + 1]).toBe(60)
})

test('no more traces stay than a turn can link, though nobody takes them', async () => {
  await using own = await ownAppender()
  const { broker, appender } = own
  for (let n = 0; n < 900; n += 30) {
    for (const one of numbered(30, n)) await appender.appendAll([one], 'trace')
  }
  const left = await eventually(() => broker.redis.xlen(tracesKey(broker, topic)))
  expect(left).toBeGreaterThanOrEqual(tracesMax)
  expect(left).toBeLessThan(2 * tracesMax)
})

test('a trace that Redis cannot keep loses no event', async () => {
  await using own = await ownAppender()
  const { broker, appender } = own
  await broker.redis.set(tracesKey(broker, topic), 'somebody else’s')
  expect(await appender.appendAll([event()], 'trace')).toEqual({ queued: 1, failure: undefined })
  expect(await broker.redis.xlen(streamKey(broker, topic))).toBe(1)
  expect(await take(broker, [turnOf(['0-1'])])).toEqual([[]])
})

test('a pack has the first trace of those that are in it', () => {
  const chunk = (count: number, traceparent?: string) => ({ events: numbered(count), traceparent })
  const pack = (entries: number) => ({ value: '', entries })
  const chunks = [chunk(3), chunk(2, 'a'), chunk(4, 'b')]
  expect(traceArguments(chunks, [pack(4), pack(4), pack(1)])).toEqual(['0', 'a', '4', 'a', '8', 'b', '6'])
  expect(traceArguments([chunk(2), chunk(1, 'c')], [pack(1), pack(1), pack(1)])).toEqual(['2', 'c', '2'])
})
