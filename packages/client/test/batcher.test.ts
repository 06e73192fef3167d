import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { EventToPublish } from '../src/answers.ts'
import { createClient } from '../src/client.ts'
import { Closed, Invalid, QueueFull, Refused } from '../src/errors.ts'
import { type Answer, json, type Peer, resets, startPeer } from './peer.ts'
import { event, failureOf, fast } from './sample.ts'

/** Takes every batch in which nothing is called "bad", and names the bad ones otherwise, as the gateway does. */
const gateway: Answer = (response, request, body) => {
  const events = JSON.parse(body) as EventToPublish[]
  const errors = events.flatMap(({ source }, index) =>
    source === 'bad' ? [{ index, path: 'source', code: 'invalid_source', message: 'is bad' }] : [],
  )
  const answer =
    errors.length === 0
      ? json(200, { status: 'queued', queued: events.length })
      : json(422, { code: 'invalid_event', errors: errors.slice(0, 2) })
  answer(response, request, body)
}

const idsOf = ({ received }: Peer) =>
  received.map(({ body }) => (JSON.parse(body) as EventToPublish[]).map(({ event_id }) => event_id))

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

test('what is published at about the same time goes out as one array', async () => {
  await using peer = await startPeer(gateway)
  await using batcher = createClient({ baseUrl: peer.url }).batcher()
  await Promise.all(numbers(3).map((n) => batcher.publish(event(n))))
  expect(peer.received).toHaveLength(1)
  expect(JSON.parse(peer.received[0]?.body ?? '')).toEqual(numbers(3).map((n) => event(n)))
})

test('a batch is bounded by events and by bytes, and their order is kept', async () => {
  await using peer = await startPeer(gateway)
  const client = createClient({ baseUrl: peer.url })
  await using byEvents = client.batcher({ eventsMax: 4 })
  await Promise.all(numbers(10).map((n) => byEvents.publish(event(n))))
  expect(idsOf(peer).map((batch) => batch.length)).toEqual([4, 4, 2])
  expect(idsOf(peer).flat()).toEqual(numbers(10).map((n) => `order-${n}`))

  peer.received.length = 0
  const bytesMax = 1_000
  await using byBytes = client.batcher({ bytesMax })
  // Three bytes each in UTF-8; the last one is larger than a whole batch.
  const texts = ['a', '…'.repeat(100), '…'.repeat(100), '…'.repeat(100), '…'.repeat(400)]
  await Promise.all(texts.map((text, n) => byBytes.publish(event(n, { payload: { text } }))))
  expect(idsOf(peer).flat()).toHaveLength(5)
  for (const { body } of peer.received.slice(0, -1))
    expect(Buffer.byteLength(body)).toBeLessThan(bytesMax + 3)
  expect(idsOf(peer).at(-1)).toEqual(['order-4'])
})

test('events wait for others for a while, and not at all when they are flushed', async () => {
  await using peer = await startPeer(gateway)
  const client = createClient({ baseUrl: peer.url })
  await using patient = client.batcher({ delayMs: 60_000 })
  const first = patient.publish(event(1))
  await pause(30)
  const second = patient.publish(event(2))
  expect(peer.received).toHaveLength(0)
  await patient.flush()
  await Promise.all([first, second])
  expect(idsOf(peer)).toEqual([['order-1', 'order-2']])
  await patient.flush() // nothing waits

  await using hasty = client.batcher({ delayMs: 1 })
  await hasty.publish(event(3))
  expect(peer.received).toHaveLength(2)
})

test('events that are not valid are rejected one by one, and the others are sent', async () => {
  await using peer = await startPeer(gateway)
  await using batcher = createClient({ baseUrl: peer.url }).batcher()
  // Five bad ones, of which an answer names two.
  const outcomes = await Promise.allSettled(
    numbers(12).map((n) => batcher.publish(event(n, { source: n % 2 === 1 && n < 11 ? 'bad' : 'good' }))),
  )
  expect(outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([1, 3, 5, 7, 9])
  expect(outcomes[3]).toMatchObject({
    reason: {
      code: 'invalid_event',
      issues: [{ path: 'source', message: 'is bad' }],
      message: 'source is bad',
    },
  })
  expect(idsOf(peer).at(-1)).toEqual([0, 2, 4, 6, 8, 10, 11].map((n) => `order-${n}`))
})

test('a batch is tried again, the same to the byte, and its order survives', async () => {
  await using peer = await startPeer(resets, json(503, { code: 'broker_unavailable', queued: 2 }), gateway)
  const client = createClient({ baseUrl: peer.url, retry: fast })
  await using batcher = client.batcher({ eventsMax: 3 })
  await Promise.all(numbers(6).map((n) => batcher.publish(event(n))))
  const [first, second, third, fourth] = peer.received.map(({ body }) => body)
  expect([second, third]).toEqual([first, first])
  expect(fourth).not.toBe(first)
  expect(peer.received).toHaveLength(4)
})

test('what ends the retries rejects the events of that batch and no other', async () => {
  await using peer = await startPeer(json(413, { code: 'body_too_large' }), gateway)
  await using batcher = createClient({ baseUrl: peer.url, retry: fast }).batcher({ eventsMax: 2 })
  const outcomes = await Promise.allSettled(numbers(4).map((n) => batcher.publish(event(n))))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled'])
  expect(outcomes[0]).toMatchObject({ reason: expect.any(Refused) })
})

test('a full queue refuses, and says when there is room again', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await using peer = await startPeer((...asked) => void held.then(() => gateway(...asked)))
  await using batcher = createClient({ baseUrl: peer.url }).batcher({ eventsMax: 2, queueEventsMax: 3 })
  const taken = numbers(3).map((n) => batcher.publish(event(n)))
  expect(await failureOf(batcher.publish(event(3)))).toBeInstanceOf(QueueFull)
  const room = batcher.ready().then(() => 'room')
  expect(await Promise.race([room, pause(30, 'no room')])).toBe('no room')
  release()
  expect(await room).toBe('room')
  await batcher.publish(event(3))
  await Promise.all(taken)
})

test('closing sends what waits and refuses what comes later', async () => {
  await using peer = await startPeer(gateway)
  const batcher = createClient({ baseUrl: peer.url }).batcher({ delayMs: 60_000 })
  const last = batcher.publish(event(1))
  await batcher.close()
  await last
  expect(await failureOf(batcher.publish(event(2)))).toBeInstanceOf(Closed)
  await batcher.close()
})

test('the text of an event goes out as it is, and what is none never reaches a batch', async () => {
  await using peer = await startPeer(gateway)
  await using batcher = createClient({ baseUrl: peer.url }).batcher()
  const text = '{"topic":"order","payload":{"big":9007199254740993,"exact":0.10}}'
  await batcher.publish(text)
  expect(peer.received[0]?.body).toBe(`[${text}]`)
  for (const bad of ['{"a":1', '{},{}', '[]', '1', '{"a":"\ud800"}']) {
    expect(await failureOf(batcher.publish(bad))).toBeInstanceOf(Invalid)
  }
  expect(peer.received).toHaveLength(1)
})

test('publishAll takes no more from its source than it may hold, and counts', async () => {
  let taken = 0
  let lead = 0
  let answered = 0
  await using peer = await startPeer((response, request, body) => {
    lead = Math.max(lead, taken - answered)
    gateway(response, request, body)
    answered += JSON.parse(body).length
  })
  function* source() {
    for (const n of numbers(500)) {
      taken = n + 1
      yield event(n, { source: n === 77 ? 'bad' : 'good' })
    }
  }
  const refused: unknown[] = []
  const client = createClient({ baseUrl: peer.url })
  const onRefused = (index: number, error: Invalid) => refused.push([index, error.message])
  const counts = await client.publishAll(source(), { eventsMax: 20, queueEventsMax: 40, onRefused })
  expect(counts).toEqual({ queued: 499, refused: 1 })
  expect(refused).toEqual([[77, 'source is bad']])
  expect(lead).toBeLessThanOrEqual(60)
})

test('a callback of publishAll that throws ends it with what it threw', async () => {
  const bug = new Error('a bug in the callback')
  const throws = () => {
    throw bug
  }
  await using peer = await startPeer(gateway)
  const client = createClient({ baseUrl: peer.url })
  expect(await failureOf(client.publishAll([event(1)], { onProgress: throws }))).toBe(bug)
  const bad = [event(1), event(2, { source: 'bad' })]
  expect(await failureOf(client.publishAll(bad, { onRefused: throws }))).toBe(bug)
})

test('publishAll ends with what ended the retries, also while its source has nothing to give', async () => {
  await using peer = await startPeer(json(404, { code: 'not_found' }))
  let isLeft = false
  async function* source() {
    try {
      yield event(1)
      await pause(20_000, undefined, { ref: false })
    } finally {
      isLeft = true
    }
  }
  const client = createClient({ baseUrl: peer.url, retry: fast })
  expect(await failureOf(client.publishAll(source()))).toMatchObject({ code: 'not_found' })
  expect(isLeft).toBe(false) // it sleeps, and is not waited for
})

test('limits that the gateway would refuse are refused at once', () => {
  const client = createClient({ baseUrl: 'http://127.0.0.1' })
  expect(() => client.batcher({ eventsMax: 5_001 })).toThrow(/eventsMax must be .* 1 to 5000/)
  expect(() => client.batcher({ bytesMax: 0 })).toThrow(/bytesMax/)
})
