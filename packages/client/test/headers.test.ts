import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { json, resets, startPeer, streams } from './peer.ts'
import { all, event, failureOf, fast, stored } from './sample.ts'

const yes = json(200, { status: 'queued', event_id: 'order-1', queued: 1 })
const busy = json(503, { code: 'overloaded' })

test('a token goes along with every request, and headers as well', async () => {
  await using peer = await startPeer(yes)
  const headers = { 'X-Tenant': 'a', Authorization: 'Basic no', 'Content-Type': 'text/no' }
  const client = createClient({ baseUrl: peer.url, token: 'secret', headers })
  await client.publish(event(1))
  await client.waitUntilReady()
  await client.dropTopic('order')
  await using batcher = client.batcher()
  await batcher.publish(event(2))
  expect(peer.received.map(({ headers }) => [headers.authorization, headers['x-tenant']])).toEqual(
    peer.received.map(() => ['Bearer secret', 'a']),
  )
  expect(peer.received).toHaveLength(4)
  // What the client itself says of a request holds.
  expect(peer.received[0]?.headers['content-type']).toBe('application/json')
})

test.each(['Connection', 'content-length', 'Expect', 'keep-alive', 'transfer-encoding', 'upgrade'])(
  'the header %s, which fetch refuses or which is its own, is refused at once',
  (name) => {
    expect(() => createClient({ headers: { [name]: 'secret' } })).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: `the header "${name}" is for fetch to set: leave it out`,
      }),
    )
  },
)

test('a function is asked for the token before each try', async () => {
  await using peer = await startPeer(busy, resets, yes)
  let asked = 0
  const token = async () => `secret-${++asked}`
  await createClient({ baseUrl: peer.url, retry: fast, token }).publish(event(1))
  expect(peer.received.map(({ headers }) => headers.authorization)).toEqual(
    [1, 2, 3].map((n) => `Bearer secret-${n}`),
  )
})

test('a tail asks for a token again when it connects again', async () => {
  const message = (seq: number) => `id: ${seq}\ndata: ${JSON.stringify(stored(seq))}\n\n`
  const sse = 'text/event-stream'
  await using peer = await startPeer(streams([message(1)], 'cut', sse), streams([message(2)], 'stay', sse))
  let asked = 0
  const client = createClient({ baseUrl: peer.url, retry: fast, token: () => `secret-${++asked}` })
  for await (const { seq } of client.tail({ topic: 'order' })) if (seq === 2) break
  expect(peer.received.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer secret-1',
    'Bearer secret-2',
  ])
})

test('a function that fails is asked again, and what it threw is the cause in the end', async () => {
  await using peer = await startPeer(yes)
  let asked = 0
  const cause = new Error('secret')
  const client = createClient({
    baseUrl: peer.url,
    retry: { ...fast, totalMs: 300 },
    token: () => {
      asked += 1
      throw cause
    },
  })
  const error = await failureOf(client.publish(event(1)))
  expect(error).toMatchObject({ code: 'no_token', retryable: true, cause })
  expect((error as Error).message).not.toContain('secret')
  expect(asked).toBeGreaterThan(1)
  expect(peer.received).toEqual([])
})

test('a function that never answers takes no longer than a request may, and ends with the signal', async () => {
  await using peer = await startPeer(yes)
  const token = () => new Promise<string>(() => undefined)
  const client = createClient({ baseUrl: peer.url, retry: { ...fast, requestMs: 50, totalMs: 200 }, token })
  const late = await failureOf(client.publish(event(1)))
  expect(late).toMatchObject({
    code: 'no_token',
    message: expect.stringMatching(/token function did not answer in time/),
  })
  expect(peer.received).toEqual([])
  const signal = AbortSignal.timeout(20)
  const slow = createClient({ baseUrl: peer.url, token })
  expect(await failureOf(slow.publish(event(1), { signal }))).toBe(signal.reason)
})

test('no error has a token or a header in it', async () => {
  const headers = { 'x-key': 'secret' }
  for (const answer of [json(401, { code: 'unauthorized', detail: 'no' }), json(403, {}), resets, busy]) {
    await using peer = await startPeer(answer)
    const client = createClient({
      baseUrl: peer.url,
      retry: { ...fast, totalMs: 250 },
      token: 'secret',
      headers,
    })
    const calls = [
      () => client.publish(event(1)),
      () => all(client.replay({ topic: 'order' })),
      () => client.stats(),
    ]
    for (const call of calls) {
      const error = (await failureOf(call())) as Error
      expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain('secret')
    }
  }
  for (const token of ['secret\n', '', 'sécret', 7, undefined]) {
    const client = createClient({ baseUrl: 'http://127.0.0.1:9', token: () => token as never })
    const error = await failureOf(client.publish(event(1)))
    expect(error).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('token') })
    expect(String(error)).not.toMatch(/s.cret/)
  }
})
