/** Events reach their endpoint signed and byte for byte, and what it answers decides what becomes of them. */
import { parsePattern } from '@sekali/core/pattern'
import { resumeSubscription } from '@sekali/store/control-subscription'
import type { Attempt } from '@sekali/store/push-types'
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { parseKey } from '@sekali/webhook/key'
import { headersContext, seal } from '@sekali/webhook/seal'
import { verify, webhookId } from '@sekali/webhook/sign'
import { expect, test } from 'vitest'
import { hiddenOf, hide } from '../src/send/hide.ts'
import { type Received, startReceiver, status } from './receiver.ts'
import { ownStack, sealKeyText } from './stack.ts'

const signedOf = ({ headers, body }: Received) => ({
  id: String(headers['webhook-id']),
  timestamp: String(headers['webhook-timestamp']),
  signature: String(headers['webhook-signature']),
  body,
})

const seqs = (received: readonly Received[]) => received.map(({ seq }) => seq).sort((a, b) => a - b)

test('events arrive signed, their payloads as they were sent, and the attempts are kept [P8]', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  const secret = await stack.push('hook', receiver.url)
  await stack.push('plain', receiver.url, { body: 'event', topics: parsePattern('plain') })
  const payload = '{"n":12345678901234567890,\n "d":1.10,"t":"\\u00e4\\u0000","z":{},"a":1e400}'
  await stack.add(3, () => ({ payload, source: 'shöp 1' }))
  await stack.add(1, () => ({ topic: 'plain', payload }))
  await using _dispatcher = stack.dispatch()
  await eventually(() => expect(receiver.received.length).toBe(4))
  const hooks = receiver.received.filter(({ headers }) => headers['sekali-topic'] === 'orders')
  expect(seqs(hooks)).toEqual([1, 2, 3])
  for (const one of hooks) {
    expect(one.body).toBe(`{"type":"orders","timestamp":"2025-12-08T10:00:00.123456Z","data":${payload}}`)
    expect(verify(signedOf(one), [secret])).toBe('ok')
    expect(one.headers).toMatchObject({
      'content-type': 'application/json',
      'sekali-source': 'sh%C3%B6p%201',
      'sekali-attempt': '1',
      'webhook-id': webhookId('orders', `e${one.seq}`),
    })
  }
  const plain = receiver.received.find(({ headers }) => headers['sekali-topic'] === 'plain')
  expect(JSON.parse(plain?.body ?? '')).toMatchObject({ topic: 'plain', event_id: 'e4', seq: 1 })
  expect(plain?.body).toContain(`"payload":${payload},"seq":1,`)
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0, outstanding: 0 }))
  const [attempt] = await stack.attempts()
  expect(attempt).toMatchObject({ state: 'delivered', status: 200, response: { body: 'noted', cut: false } })
  expect(JSON.stringify(await stack.attempts())).not.toContain(secret.slice('whsec_'.length))
})

test('what fails comes again, as the same delivery, until it gets through', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) =>
    status(request.attempt < 3 ? 500 : 204)(request, response),
  )
  await stack.push('hook', receiver.url)
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  await eventually(() => expect(receiver.received.map(({ attempt }) => attempt)).toEqual([1, 2, 3]))
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  await eventually(async () =>
    expect((await stack.attempts()).map(({ attempt, state, status }) => [attempt, state, status])).toEqual([
      [3, 'delivered', 204],
      [2, 'failed', 500],
      [1, 'failed', 500],
    ]),
  )
})

test('a redirect is a failure, and nobody follows it', async () => {
  await using stack = await ownStack()
  await using elsewhere = await startReceiver()
  await using receiver = await startReceiver(status(302, { Location: elsewhere.url }))
  await stack.push('hook', receiver.url, { retrySeconds: [] })
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.dead()).toHaveLength(1))
  expect(await stack.attempts()).toMatchObject([
    { state: 'failed', status: 302, error: 'redirect 302, which is not followed' },
  ])
  expect([receiver.received.length, elsewhere.connections()]).toEqual([1, 0])
})

test('410 disables an endpoint at once, nothing is sent to it, and nothing is lost', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver(status(410))
  await stack.push('hook', receiver.url, { concurrency: 1 })
  await stack.add(20)
  await using dispatcher = stack.dispatch()
  await eventually(async () =>
    expect(await stack.endpoint()).toMatchObject({ state: 'disabled', why: 'gone' }),
  )
  await stack.add(10)
  await dispatcher.stop()
  expect(receiver.received).toHaveLength(1)
  receiver.answer = status(200)
  await using _second = stack.dispatch()
  await resumeSubscription(stack.store, 'hook', { actor: 'tester' })
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0, dead: 0 }))
  expect([...new Set(seqs(receiver.received))]).toEqual(upTo(30))
})

test('an endpoint that never ends its answer is cut off, and its attempt is written down once', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((_request, response) => {
    response.writeHead(200)
    const chunk = Buffer.alloc(8_192, 'x')
    const write = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', write)
    write()
  })
  await stack.push('hook', receiver.url)
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }))
  const attempts = await stack.attempts()
  expect(attempts).toMatchObject([{ state: 'delivered', status: 200, response: { cut: true } }])
  expect(attempts[0]?.response?.body).toBe('x'.repeat(1_024)) // of a success
  await eventually(() => expect(receiver.open()).toBe(0))
})

test('what an answer shows of our own headers is not kept, of a failure 16 KiB are, and of a success 1 KiB', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver(({ headers, attempt }, response) => {
    response.writeHead(attempt === 1 ? 500 : 200, { 'X-Echo': `got ${headers.authorization}` })
    response.end(`${JSON.stringify(headers)} ${'ä'.repeat(attempt === 1 ? 10_000 : 1_000)}`)
  })
  const token = 'tr0ub4dor&3"\\x'
  const own = { Authorization: `Bearer ${token}`, 'X-Short': 'abc1234' }
  const sealed = seal(parseKey(sealKeyText), JSON.stringify(own), headersContext('hook'))
  await stack.push('hook', receiver.url, {
    headers: { names: Object.keys(own), sealed, tag: Buffer.alloc(32) },
  })
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.attempts()).toHaveLength(2))
  expect(receiver.received[0]?.headers.authorization).toBe(own.Authorization)
  const attempts = await stack.attempts()
  expect(JSON.stringify(attempts)).not.toMatch(/tr0ub4dor|Bearer/)
  expect(attempts.map(({ state }) => state)).toEqual(['delivered', 'failed'])
  for (const [{ response }, bytes] of [
    [attempts[0], 1_024],
    [attempts[1], 16 * 1_024],
  ] as [Attempt, number][]) {
    expect(response).toMatchObject({ cut: true, headers: { 'x-echo': 'got ***' } })
    expect(response?.body).toContain('"authorization":"***","x-short":"abc1234"')
    expect(Math.abs(Buffer.byteLength(response?.body ?? '') - bytes)).toBeLessThan(3)
  }
})

test('what is hidden is found alone, within JSON, and where the text ends in the midst of it', () => {
  const hidden = hiddenOf({ a: 'Bearer abcdefgh"i', b: 'short12', c: 'another-value' })
  expect(hide('x Bearer abcdefgh"i y abcdefgh"i z "abcdefgh\\"i" short12', hidden)).toBe(
    'x *** y *** z "***" short12',
  )
  expect(hide('x Bearer abcdefg', hidden, true)).toBe('x ***')
  expect(hide('x another-v', hidden, true)).toBe('x ***')
  expect(hide('x another-v', hidden)).toBe('x another-v')
  expect(hide('x another', hidden, true)).toBe('x another')
})

test('garbage, a closed connection and nobody there are failures of their own kinds', async () => {
  await using stack = await ownStack()
  await using closed = await startReceiver((_request, response) => void response.socket?.destroy())
  await using garbage = await startReceiver(
    (_request, response) => void response.socket?.end('SSH-2.0-OpenSSH\r\n'),
  )
  const nobody = await startReceiver()
  await nobody[Symbol.asyncDispose]()
  const all = { closed, garbage, nobody }
  for (const [name, { url }] of Object.entries(all)) await stack.push(name, url, { retrySeconds: [] })
  await using slow = await startReceiver(() => undefined)
  await stack.push('slow', slow.url, { retrySeconds: [], timeoutSeconds: 1 })
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  const errorOf = async (name: string) => (await stack.attempts(name))[0]?.error
  await eventually(async () => {
    expect(await Promise.all([...Object.keys(all), 'slow'].map(errorOf))).toEqual([
      'connection_lost',
      'bad_answer',
      'connection_refused',
      'timeout',
    ])
  })
})
