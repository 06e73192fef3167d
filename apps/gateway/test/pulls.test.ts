/** Workers: what they are handed, how they wait, and what becomes of what nobody got. */
import { once } from 'node:events'
import { request } from 'node:http'
import { revokeKey } from '@sekali/store/change-keys'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { callsOf, ownSubscriptions, type PulledBody } from './own-subscription.ts'

let own: Awaited<ReturnType<typeof ownSubscriptions>>
beforeAll(async () => {
  // Nothing is looked at now and then, so what is noticed is noticed at once.
  own = await ownSubscriptions({ pulls: { checkMs: 3_600_000 } })
})
afterAll(() => own[Symbol.asyncDispose]())

const bodyOf = async (answer: Promise<Response>) => (await (await answer).json()) as PulledBody
const seqsOf = ({ items }: PulledBody) => items.map((one) => one.event.seq)

test('events come with their tokens, payloads as they were sent, and are settled one by one or together [P8]', async () => {
  await own.append('first', 1, 3, { payload: '{"big": 9007199254740993.10, "a":"\\u00e9"}' })
  await own.put('first', { topics: 'first', lease_s: 20 })
  const answer = await own.pull('first', { max: 2 })
  const text = await answer.text()
  expect(answer.status).toBe(200)
  expect(text.split('"payload":{"big": 9007199254740993.10, "a":"\\u00e9"}')).toHaveLength(3)
  const { items, token, lease_s } = JSON.parse(text) as PulledBody
  expect(items).toMatchObject([
    { attempt: 1, event: { topic: 'first', seq: 1, event_id: 'first-1' } },
    { attempt: 1, event: { seq: 2 } },
  ])
  expect(lease_s).toBe(20)
  expect(await own.show('first')).toMatchObject({ lag: 3, outstanding: 2 })
  expect(
    await own.settle('first', [
      { token: items[1]?.token, do: 'nak', delay_s: 0 },
      { token, do: 'ack' },
      { token: items[0]?.token, do: 'ack' },
      { token: 'made-up', do: 'ack' },
    ]),
  ).toEqual(['done', 'done', 'already_settled', 'unknown'])
  const again = await own.pulled('first')
  expect(again.items.map(({ attempt, event: { seq } }) => [seq, attempt])).toEqual([
    [2, 2],
    [3, 1],
  ])
  expect(await own.settle('first', [{ token: again.token, do: 'release' }])).toEqual(['done'])
  expect((await own.pulled('first')).items.map(({ attempt }) => attempt)).toEqual([2, 1])
})

test('without anything it is 204, and Retry-After says when to ask again', async () => {
  await own.put('idle', { topics: 'second' })
  for (const [wait_s, after] of [
    [0, '1'],
    [1, '0'],
  ] as const) {
    const answer = await own.pull('idle', { wait_s })
    expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([204, after, ''])
  }
})

test('whoever waits is answered as soon as an event is stored, or is given back', async () => {
  await own.put('third', { topics: 'third.>' })
  const waiting = bodyOf(own.pull('third', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  await own.append('third.eu', 1, 1)
  const { items } = await waiting
  expect(items).toMatchObject([{ event: { seq: 1 } }])
  const second = bodyOf(own.pull('third', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  await own.settle('third', [{ token: items[0]?.token, do: 'release' }])
  const again = await second
  expect(again.items).toMatchObject([{ attempt: 1, event: { seq: 1 } }])
  const third = bodyOf(own.pull('third', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  // Due in a moment, and nobody says so.
  await own.settle('third', [{ token: again.token, do: 'nak', delay_s: 1 }])
  expect((await third).items).toMatchObject([{ attempt: 2, event: { seq: 1 } }])
})

test('what is settled through another gateway is noticed within a few seconds', async () => {
  await using own = await ownSubscriptions({ pulls: { checkMs: 100 } })
  await own.append('orders', 1, 2, { source: 'a' })
  await own.put('mailer', { topics: 'orders', order: 'source' })
  const { items } = await own.pulled('mailer')
  expect(items).toHaveLength(1)
  const blocked = await own.pull('mailer')
  expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([204, '1'])
  const waiting = bodyOf(own.pull('mailer', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  const { settle } = await import('@sekali/store/settle-deliveries')
  await settle(own.store, { name: 'mailer', items: [{ token: String(items[0]?.token), do: 'ack' }] })
  expect(seqsOf(await waiting)).toEqual([2])
})

test('a window full of busy sources says which they are', async () => {
  await own.append('fourth', 1, 3, { source: 'a' })
  await own.put('fourth', { topics: 'fourth', order: 'source', outstanding_max: 2 })
  await own.pulled('fourth')
  const full = await own.pull('fourth')
  expect([full.status, full.headers.get('retry-after')]).toEqual([200, '1'])
  expect(await full.json()).toEqual({ items: [], blocked_by: [{ topic: 'fourth', source: 'a' }] })
})

/** A pull whose client the test can take away. */
function openPull(url: string, name: string, fields: object) {
  const { port } = new URL(url)
  const call = request({ port, method: 'POST', path: `/subscriptions/${name}/pull`, agent: false })
  call.setHeader('Content-Type', 'application/json')
  call.on('error', () => undefined)
  call.end(JSON.stringify(fields))
  return call
}

test('a client that leaves while it waits takes nothing with it', async () => {
  await own.put('fifth', { topics: 'fifth' })
  const gone = openPull(own.url, 'fifth', { wait_s: 30 })
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  const stays = bodyOf(own.pull('fifth', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(2))
  gone.destroy()
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  await own.append('fifth', 1, 1)
  expect((await stays).items).toMatchObject([{ attempt: 1, event: { seq: 1 } }])
  // Nothing was handed out for the one that is gone, and given back.
  const { rows } = await own.store.pool.query(
    `SELECT cardinality(e.priors) AS priors FROM subscriptions.exceptions e
     JOIN subscriptions.subscriptions s ON s.id = e.subscription WHERE s.name = 'fifth'`,
  )
  expect(rows).toEqual([{ priors: 0 }])
})

test('what a client does not take whole is given back, and is no attempt', async () => {
  // More than the kernel keeps for a client that reads nothing.
  await own.append('sixth', 1, 40, { payload: JSON.stringify({ text: 'x'.repeat(200_000) }) })
  await own.put('sixth', { topics: 'sixth' })
  const slow = openPull(own.url, 'sixth', { max: 40, bytes_max: 8_388_608 })
  const [response] = await once(slow, 'response')
  response.pause()
  expect((await own.show('sixth')).outstanding).toBe(40)
  slow.destroy()
  await eventually(async () => expect((await own.show('sixth')).outstanding).toBe(0))
  expect((await own.pulled('sixth', { max: 1 })).items).toMatchObject([{ attempt: 1, event: { seq: 1 } }])
})

test('waiting pulls have the room of tails, and ordinary requests keep theirs', async () => {
  await using own = await ownSubscriptions({ tailsMax: 4 })
  await own.put('mailer', { topics: 'orders' })
  const waiting = Array.from({ length: 3 }, () => own.pull('mailer', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(3))
  const refused = await own.pull('mailer', { wait_s: 1 })
  // Of four places one client has three.
  expect([refused.status, (await problemIn(refused)).code]).toEqual([429, 'client_limit'])
  expect((await own.pull('mailer')).status).toBe(204)
  await own.send('POST', '/mailer/pause')
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([409, 409, 409])
  await eventually(() => expect(own.connections.tailsCount()).toBe(0))
})

test('a gateway that is told to leave answers those who wait, and gives back what nobody got', async () => {
  await using own = await ownSubscriptions()
  await own.put('mailer', { topics: 'orders' })
  const waiting = Array.from({ length: 5 }, () => own.pull('mailer', { wait_s: 30 }))
  await eventually(() => expect(own.connections.tailsCount()).toBe(5))
  own.drain.abort()
  // Long before their time is up.
  await eventually(() => expect(own.connections.tailsCount()).toBe(0), 10_000)
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(5).fill(204))
  expect((await own.show('mailer')).outstanding).toBe(0)
  // Who comes a moment later is no worse off than who was in line.
  const late = await own.pull('mailer', { wait_s: 30 })
  expect([late.status, late.headers.get('retry-after')]).toEqual([204, '1'])
})

test('without PostgreSQL it is 503 with Retry-After, for those who wait as well', async () => {
  await using own = await ownKeys()
  const key = (await own.make()).text
  const calls = callsOf(own.url, bearer(key))
  await calls.put('mailer', { topics: 'orders' })
  const waiting = calls.pull('mailer', { wait_s: 30 })
  await eventually(() => expect(own.connections.tailsCount()).toBe(1))
  await own.withoutPostgres(async () => {
    const answers = [
      await calls.pull('mailer'),
      await calls.send('POST', '/mailer/settle', { items: [{ token: 'a', do: 'ack' }] }),
      await waiting,
    ]
    for (const answer of answers) {
      expect([answer.status, (await problemIn(answer)).code]).toEqual([503, 'store_unavailable'])
      expect(answer.headers.get('retry-after')).toMatch(/^[123]$/)
    }
  })
})

test('a revoked key ends its waits with 401, and others wait on', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50 } })
  const admin = await own.make()
  await callsOf(own.url, bearer(admin.text)).put('mailer', { topics: 'orders' })
  const [gone, stays] = [await own.make({ scopes: ['work'] }), await own.make({ scopes: ['work'] })]
  const wait = (key: string) => callsOf(own.url, bearer(key)).pull('mailer', { wait_s: 30 })
  const waits = [wait(gone.text), wait(stays.text)] as const
  await eventually(() => expect(own.connections.tailsCount()).toBe(2))
  await revokeKey(own.store, gone.key.id, { actor: 'test' })
  expect((await waits[0]).status).toBe(401)
  await storeEvents(own.store, [event({ topic: 'orders', eventId: '1' })])
  expect((await bodyOf(waits[1])).items).toHaveLength(1)
})

test('one that was made anew of other topics is not handed out to whoever may not see these', async () => {
  await using own = await ownKeys()
  const admin = callsOf(own.url, bearer((await own.make()).text))
  await storeEvents(own.store, [event({ topic: 'secret', eventId: '1' })])
  await admin.put('mailer', { topics: 'orders' })
  const worker = callsOf(own.url, bearer((await own.make({ scopes: ['work'], topics: ['orders'] })).text))
  expect((await worker.pull('mailer')).status).toBe(204)
  // Through another gateway: this one knows nothing of it.
  const { removeSubscription } = await import('@sekali/store/control-subscription')
  const { putSubscription } = await import('@sekali/store/put-subscription')
  const { parsePattern } = await import('@sekali/core/pattern')
  await removeSubscription(own.store, 'mailer', { actor: 'test' })
  await putSubscription(
    own.store,
    {
      name: 'mailer',
      kind: 'pull',
      topics: parsePattern('secret'),
      order: 'none',
      filter: {},
      sourceBatch: 1,
      from: 'start',
      leaseSeconds: 30,
      outstandingMax: 10,
      deliveriesMax: 5,
      backoffSeconds: [],
      onExhausted: 'skip',
    },
    { actor: 'test' },
  )
  const refused = await worker.pull('mailer')
  expect([refused.status, (await problemIn(refused)).code]).toEqual([403, 'forbidden'])
  await eventually(async () => expect((await admin.show('mailer')).outstanding).toBe(0))
})
