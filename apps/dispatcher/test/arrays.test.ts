/** Several events in one request, where somebody wants them so. */
import { parsePattern } from '@sekali/core/pattern'
import { askTest, readTest } from '@sekali/store/push-tests'
import { eventually } from '@sekali/testkit/eventually'
import { event, upTo } from '@sekali/testkit/sample'
import { eventBody, standardElement } from '@sekali/webhook/body'
import { webhookLimits } from '@sekali/webhook/limits'
import { batchId, verify, webhookId } from '@sekali/webhook/sign'
import { expect, test } from 'vitest'
import { countOf, numbered, numbersOf } from './arrays.ts'
import { type Received, startReceiver, status } from './receiver.ts'
import { ownStack } from './stack.ts'

const isSigned = ({ headers, body }: Received, secret: string) =>
  verify(
    {
      id: String(headers['webhook-id']),
      timestamp: String(headers['webhook-timestamp']),
      signature: String(headers['webhook-signature']),
      body,
    },
    [secret],
  )

test('events go together in an array, signed, their payloads as they were sent, and each has its attempt [P8]', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  const secret = await stack.push('hook', receiver.url, { batchMax: 10 })
  const payload = '{"n":12345678901234567890,\n "d":1.10,"t":"\\u00e4\\u0000","z":{},"a":1e400}'
  await stack.add(3, () => ({ payload, source: 'shöp 1' }))
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0, outstanding: 0 }))
  const [several] = receiver.received as [Received]
  const ids = upTo(3).map((n) => webhookId('orders', `e${n}`))
  const elements = ids.map(
    (id) => `{"id":"${id}","type":"orders","timestamp":"2025-12-08T10:00:00.123456Z","data":${payload}}`,
  )
  expect(several.body).toBe(`[${elements.join(',')}]`)
  expect(isSigned(several, secret)).toBe('ok')
  const headers = { 'webhook-id': batchId(ids), 'sekali-count': '3', 'sekali-attempt': '1' }
  expect(several.headers).toMatchObject(headers)
  for (const one of ['topic', 'seq', 'source', 'epoch'])
    expect(several.headers).not.toHaveProperty(`sekali-${one}`)
  const attempts = await stack.attempts()
  expect(attempts.map(({ seq }) => seq)).toEqual([3, 2, 1])
  for (const attempt of attempts) {
    expect(attempt).toMatchObject({
      attempt: 1,
      state: 'delivered',
      status: 200,
      response: { body: 'noted' },
    })
    expect(attempt.request.headers).toMatchObject(headers)
    expect(attempt.durationMs).toBe(attempts[0]?.durationMs)
  }
  // One alone has an array too, and is called by its own name.
  await stack.add(1, () => ({ payload }))
  await eventually(() => expect(receiver.received).toHaveLength(2))
  const [, alone] = receiver.received as [Received, Received]
  const id = webhookId('orders', 'e4')
  expect(alone.body).toBe(`[${elements[0]?.replace(ids[0] ?? '', id)}]`)
  expect(alone.headers).toMatchObject({
    ...{ 'webhook-id': id, 'sekali-count': '1', 'sekali-topic': 'orders', 'sekali-seq': '4' },
    'sekali-attempt': '1',
  })
})

test('the other form of the body is in arrays as well, and without the setting nothing is', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  await using usual = await startReceiver()
  await stack.push('hook', receiver.url, { batchMax: 500, body: 'event', topics: parsePattern('>') })
  await stack.push('usual', usual.url)
  await stack.add(2, numbered)
  await stack.add(2, (n) => ({ ...numbered(n), topic: 'logins' }))
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }))
  const all = receiver.received.flatMap(({ body }) => JSON.parse(body))
  expect(all.map(({ topic, seq }) => `${topic} ${seq}`).sort()).toEqual([
    ...['logins 1', 'logins 2', 'orders 1', 'orders 2'],
  ])
  expect(all.find(({ event_id }) => event_id === 'e2')).toMatchObject({ topic: 'orders', payload: { n: 2 } })
  expect(Object.keys(all[0]).slice(0, 2)).toEqual(['topic', 'event_id'])
  await eventually(() => expect(usual.received).toHaveLength(2))
  for (const one of usual.received) {
    expect(one.headers).not.toHaveProperty('sekali-count')
    expect(one.body).toMatch(/^\{"type":"orders",/)
  }
})

test('one event that is refused does not hold up those that came with it: what failed goes out one by one', async () => {
  await using stack = await ownStack()
  const taken: number[] = []
  await using receiver = await startReceiver((request, response) => {
    const numbers = numbersOf(request)
    const isRefused = numbers.includes(7)
    if (!isRefused) taken.push(...numbers)
    status(isRefused ? 422 : 200)(request, response)
  })
  await stack.push('hook', receiver.url, { batchMax: 20, concurrency: 8, retrySeconds: [1, 1] })
  await stack.add(20, numbered)
  await using _dispatcher = stack.dispatch()
  await eventually(async () =>
    expect(await stack.status()).toMatchObject({ lag: 0, outstanding: 0, dead: 1 }),
  )
  expect(taken.toSorted((a, b) => a - b)).toEqual(upTo(20).filter((n) => n !== 7))
  const [first, ...others] = receiver.received as [Received, ...Received[]]
  expect([countOf(first), first.attempt]).toEqual([20, 1])
  expect(others.map(countOf)).toEqual(others.map(() => 1))
  expect(others.map(({ attempt }) => attempt).sort()).toEqual([...upTo(20).map(() => 2), 3])
  expect(await stack.dead()).toMatchObject([{ seq: 7, attempts: 3, reason: 'exhausted: status 422' }])
  const attempts = await stack.attempts()
  const failed = attempts.filter(({ state }) => state === 'failed')
  expect(failed.map(({ seq, attempt }) => `${seq} ${attempt}`).sort()).toEqual(
    [...upTo(20).map((seq) => `${seq} 1`), '7 2', '7 3'].sort(),
  )
})

test('a body has at most 1 MiB: what is more goes in several, and there are no more requests than may be', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) => {
    setTimeout(() => status(200)(request, response), 20)
  })
  await stack.push('hook', receiver.url, { batchMax: 500, concurrency: 2 })
  const text = 'ä'.repeat(100_000)
  await stack.add(20, (n) => ({ payload: `{"n":${n},"t":"${text}"}` }))
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }))
  expect(receiver.received.flatMap(numbersOf).toSorted((a, b) => a - b)).toEqual(upTo(20))
  expect(receiver.openMax()).toBeLessThanOrEqual(2)
  for (const { body } of receiver.received)
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(webhookLimits.arrayBytesMax)
  // Five of these are less than a MiB, and six are more.
  expect(receiver.received.map(countOf)).toEqual([5, 5, 5, 5])
})

test('PostgreSQL counts no fewer bytes of an event than it has in either body', async () => {
  await using stack = await ownStack()
  const texts = ['s', '"\\"\\', '\u0001\n\t\u007f', 'ä€😀', '\u2028'].map((text) =>
    text.repeat(100).slice(0, 128),
  )
  for (const [n, text] of texts.entries()) {
    const topic = 't'.repeat(n === 0 ? 128 : n)
    const stored = event({ topic, source: text, eventId: text, payload: '{ "a": 1.10 }' })
    const seen = { receivedAt: stored.timestamp, storedAt: stored.timestamp, seq: Number.MAX_SAFE_INTEGER }
    const full = { ...stored, ...seen, epoch: 2 ** 31 - 1 }
    const id = webhookId(stored.topic, stored.eventId)
    const { rows } = await stack.store.pool.query<{ bytes: number }>(
      `SELECT subscriptions.body_bytes(ROW(1, $1::text, 1, 1, 1, $2::text, '', $3::text, $4::text, '', '')::subscriptions.item)
         AS bytes`,
      [stored.topic, stored.eventId, stored.source, stored.payload],
    )
    const counted = rows[0]?.bytes ?? 0
    for (const body of [eventBody(full), standardElement(full, id)]) {
      expect(counted).toBeGreaterThanOrEqual(Buffer.byteLength(body) + 2) // a comma, or a bracket
    }
    expect(counted).toBeLessThan(Buffer.byteLength(eventBody(full)) + 150)
  }
})

test('of an answer to many events each keeps a share', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((_request, response) => {
    response.writeHead(500).end('x'.repeat(100_000))
  })
  await stack.push('hook', receiver.url, { batchMax: 100, retrySeconds: [] })
  await stack.add(4)
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.dead()).toHaveLength(4))
  await stack.add(100)
  await eventually(async () => expect(await stack.dead()).toHaveLength(104))
  const sizes = (await stack.attempts()).map(({ response }) => response?.body.length)
  expect(sizes).toEqual([...upTo(100).map(() => 1_024), ...upTo(4).map(() => 4_096)])
})

test('a sample is in an array as well', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  const secret = await stack.push('hook', receiver.url, { batchMax: 2 })
  const asked = await askTest(stack.store, 'hook', { actor: 'tester' })
  if (asked.outcome !== 'asked') throw new Error(asked.outcome)
  await using _dispatcher = stack.dispatch()
  await eventually(async () =>
    expect(await readTest(stack.store, asked.id)).toMatchObject({ kind: 'test', state: 'delivered' }),
  )
  const [sample] = receiver.received as [Received]
  expect(isSigned(sample, secret)).toBe('ok')
  const { 'webhook-id': id } = sample.headers
  expect(JSON.parse(sample.body)).toEqual([
    { id, type: 'sekali.test', timestamp: expect.any(String), data: { message: expect.any(String) } },
  ])
  expect(sample.headers).toMatchObject({ 'sekali-count': '1', 'sekali-topic': 'sekali.test' })
})
