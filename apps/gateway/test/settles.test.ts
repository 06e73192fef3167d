/** What is taken of a settle, and what is refused. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connectStore } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { ownSubscriptions } from './own-subscription.ts'

let own: Awaited<ReturnType<typeof ownSubscriptions>>
beforeAll(async () => {
  own = await ownSubscriptions()
})
afterAll(() => own[Symbol.asyncDispose]())

test.each<[path: string, items: readonly object[]]>([
  ['items', []],
  ['items', Array(1_001).fill({ token: 'a', do: 'ack' })],
  ['items.0.do', [{ token: 'a', do: 'eat' }]],
  ['items.0.token', [{ do: 'ack' }]],
  ['items.0.token', [{ token: 'x'.repeat(129), do: 'ack' }]],
  ['items.0.delay_s', [{ token: 'a', do: 'ack', delay_s: 1 }]],
  ['items.0.delay_s', [{ token: 'a', do: 'extend', delay_s: 3_601 }]],
  ['items.0.reason', [{ token: 'a', do: 'ack', reason: 'why not' }]],
  ['items.0.reason', [{ token: 'a', do: 'term', reason: 'a\nb' }]],
])('what does not fit of a settle is refused, and named: %s', async (path, items) => {
  await own.put('eighth', { topics: 'eighth' })
  const refused = await own.send('POST', '/eighth/settle', { items })
  const { code, errors } = await problemIn(refused)
  expect([refused.status, code, errors?.[0]?.path]).toEqual([422, 'invalid_body', path])
})

test('a thousand items are taken, and a body of more than they need is not', async () => {
  await own.put('seventh', { topics: 'seventh' })
  const items = Array(1_000).fill({ token: 'x'.repeat(100), do: 'ack' })
  const answer = await own.send('POST', '/seventh/settle', { items })
  expect(answer.status).toBe(200)
  const { items: results } = (await answer.json()) as { items: { result: string }[] }
  expect(new Set(results.map(({ result }) => result))).toEqual(new Set(['unknown']))
  const large = await own.send('POST', '/seventh/settle', ' '.repeat(256 * 1024 + 1))
  expect([large.status, (await problemIn(large)).detail]).toEqual([413, 'A body has at most 256 KiB here.'])
  // One that does not say how long it is.
  const chunks = Array.from({ length: 5 }, () => new Uint8Array(64 * 1024).fill(0x20))
  const chunked = { body: ReadableStream.from(chunks), duplex: 'half' } as unknown as RequestInit
  const endless = await own.send('POST', '/seventh/settle', undefined, chunked)
  expect(endless.status).toBe(413)
})

test('workers who wait for the turn of a subscription hold one connection, and share one transaction', async () => {
  await own.append('fifth', 1, 30)
  await own.put('fifth', { topics: 'fifth' })
  const { items } = await own.pulled('fifth', { max: 30 })
  const { DATABASE_URL: url } = own.env
  await using elsewhere = connectStore({ url, poolMax: 1, name: 'test' }, quiet)
  const other = await elsewhere.pool.connect()
  const rows = async (query: string) => (await other.query<{ n: number }>(query)).rows[0]?.n
  await other.query('BEGIN')
  await other.query("SELECT FROM subscriptions.subscriptions WHERE name = 'fifth' FOR UPDATE")
  const settled = items.map(({ token }) => own.settle('fifth', [{ token, do: 'ack' }]))
  // Of two that settle the same, one is told so.
  settled.push(own.settle('fifth', [{ token: items[0]?.token, do: 'ack' }]))
  const waiting = "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
  await eventually(async () => expect(await rows(waiting)).toBe(1))
  const pages = await Promise.all(Array.from({ length: 8 }, () => fetch(`${own.url}/events?topic=fifth`)))
  expect(pages.map(({ status }) => status)).toEqual(Array(8).fill(200))
  expect(await rows(waiting)).toBe(1)
  await other.query('COMMIT')
  const results = (await Promise.all(settled)).flat()
  expect(results.filter((result) => result === 'done')).toHaveLength(30)
  expect(results.filter((result) => result === 'already_settled')).toHaveLength(1)
  // The pull's, that of the first that came, and those of the others.
  const revisions =
    'SELECT max(revision)::integer AS n FROM subscriptions.states s JOIN subscriptions.subscriptions o'
  expect(await rows(`${revisions} ON o.id = s.subscription WHERE o.name = 'fifth'`)).toBeLessThanOrEqual(5)
  other.release()
})

/** A settle whose body stays away for its last byte; `status` once it is answered. */
function openSettle(url: string, bytes: number, address: string) {
  const call: ClientRequest & { status?: number } = request({
    port: new URL(url).port,
    method: 'POST',
    path: '/subscriptions/mailer/settle',
    agent: false,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': bytes + 1,
      'X-Forwarded-For': address,
    },
  })
  call.on('error', () => undefined)
  call.on('response', (answer: IncomingMessage) => {
    call.status = answer.statusCode ?? 0
    answer.resume()
  })
  call.write(Buffer.alloc(bytes, 0x20))
  return call
}

test('bodies of settles have 16 MiB together, most of it for one client, and some is left for others', async () => {
  await using own = await ownSubscriptions({ trustedProxies: ['127.0.0.1'] })
  await own.put('mailer', { topics: 'orders' })
  const bytes = 256 * 1024 - 1
  const fitting = (12 * 1024 * 1024) / (bytes + 1) // three quarters
  const calls = Array.from({ length: fitting + 12 }, () => openSettle(own.url, bytes, '192.0.2.1'))
  const answered = () => calls.filter(({ status }) => status !== undefined)
  await eventually(() => expect(answered().length).toBeGreaterThanOrEqual(12))
  expect(new Set(answered().map(({ status }) => status))).toEqual(new Set([429]))
  expect(calls.length - answered().length).toBeGreaterThan(fitting / 2)
  const items = Array(500).fill({ token: 'x'.repeat(100), do: 'ack' })
  const settle = (address: string) =>
    own.send(
      'POST',
      '/mailer/settle',
      { items },
      {
        headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address },
      },
    )
  expect((await settle('192.0.2.2')).status).toBe(200)
  const [waiting] = calls.filter(({ status }) => status === undefined)
  waiting?.end(' ') // of spaces alone, which is no JSON: but there was room for it
  await eventually(() => expect(waiting?.status).toBe(400))
  for (const call of calls) call.destroy()
  await eventually(async () => expect((await settle('192.0.2.1')).status).toBe(200))
})

test('a token that somebody has made up fails nobody else who shares the transaction', async () => {
  await using own = await ownSubscriptions()
  await own.append('orders', 1, 3)
  await own.put('mailer', { topics: 'orders' })
  const { items } = await own.pulled('mailer', { max: 3 })
  const madeUp = items[0]?.token.replace(/\.\d+\.\d+\.\d+$/, '.9999999999.1.1')
  const settled = [...items.map(({ token }) => token), madeUp].map((token) =>
    own.settle('mailer', [{ token, do: 'ack' }]),
  )
  expect((await Promise.all(settled)).flat()).toEqual(['done', 'done', 'done', 'unknown'])
})
