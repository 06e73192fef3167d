/** What came of an event: told to who waits for it, and to who asks later. */

import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { readStreams } from '@sekali/broker/streams'
import type { EventId, TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { createLog } from '@sekali/process/log'
import { connectStore } from '@sekali/store/connect'
import { startApp, startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createHeads } from '../src/heads/heads.ts'
import { createReceipts } from '../src/publish/outcomes.ts'
import { eventBody, post, problemIn } from './gateway.ts'

async function own() {
  const broker = await ownBroker(inject('redisUrl'))
  const database = await ownDatabase(inject('postgresUrl'))
  const env = {
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: broker.prefix,
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
  }
  const gateway = await startGateway(env)
  return {
    broker,
    databaseUrl: database.url,
    url: gateway.url,
    gateway,
    startConsumer: () => startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'c1' }),
    publish: async (body: string, wait = 10) => {
      const response = await fetch(`${gateway.url}/publish`, post(body, { Prefer: `wait=${wait}` }))
      const {
        title: _title,
        detail: _detail,
        type: _type,
        ...said
      } = (await response.json()) as Record<string, unknown>
      return [response.status, said, response.headers.get('preference-applied')] as const
    },
    get: (path: string) => fetch(`${gateway.url}${path}`),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

let system: Awaited<ReturnType<typeof own>>
let consumer: ReturnType<typeof startApp>
beforeAll(async () => {
  system = await own()
  consumer = system.startConsumer()
})
afterAll(async () => {
  await consumer[Symbol.asyncDispose]()
  await system[Symbol.asyncDispose]()
})

const applied = 'wait=10'

test('who waits hears that the event is stored, a duplicate, or a conflict, and the seq that the id has', async () => {
  const body = eventBody({ event_id: 'a/b é?' })
  expect(await system.publish(body)).toEqual([200, { status: 'stored', event_id: 'a/b é?', seq: 1 }, applied])
  expect(await system.publish(body)).toEqual([
    200,
    { status: 'duplicate', event_id: 'a/b é?', seq: 1 },
    applied,
  ])
  const other = eventBody({ event_id: 'a/b é?', payload: { amount: 11 } })
  expect(await system.publish(other)).toEqual([
    409,
    { status: 409, code: 'conflict', event_id: 'a/b é?', seq: 1 },
    applied,
  ])
  expect(await system.publish(eventBody({ event_id: 'next' }))).toMatchObject([
    200,
    { status: 'stored', seq: 2 },
    applied,
  ])
})

test('of events sent at once under one id, exactly one is the stored one, and the others differ or repeat [P4]', async () => {
  for (let round = 0; round < 20; round++) {
    const bodies = Array.from({ length: 20 }, (_, index) =>
      eventBody({ topic: 'race', event_id: `r${round}`, payload: { half: index % 2 } }),
    )
    const answers = await Promise.all(bodies.map((body) => system.publish(body)))
    const counts = Object.groupBy(answers, ([, said]) => String(said.code ?? said.status))
    expect([counts.stored?.length, counts.duplicate?.length, counts.conflict?.length]).toEqual([1, 9, 10])
    expect(answers.every(([, said]) => said.seq === round + 1)).toBe(true)
  }
})

test('a batch is told of each event, in its order, also when ids come twice and topics differ', async () => {
  const events = [
    eventBody({ topic: 'batch.a', event_id: '1' }),
    eventBody({ topic: 'batch.b', event_id: '1' }),
    eventBody({ topic: 'batch.a', event_id: '1' }),
    eventBody({ topic: 'batch.a', event_id: '2' }),
    eventBody({ topic: 'batch.a', event_id: '1', source: 'else' }),
  ]
  const receipts = [
    { event_id: '1', status: 'stored', seq: 1 },
    { event_id: '1', status: 'stored', seq: 1 },
    { event_id: '1', status: 'duplicate', seq: 1 },
    { event_id: '2', status: 'stored', seq: 2 },
    { event_id: '1', status: 'conflict', seq: 1 },
  ]
  expect(await system.publish(`[${events.join(',')}]`)).toEqual([
    200,
    { status: 'settled', queued: 5, receipts },
    applied,
  ])
  const many = Array.from({ length: 2_500 }, (_, index) =>
    eventBody({ topic: 'many', event_id: `e${index}` }),
  )
  const [status, said] = await system.publish(`[${many.join(',')}]`)
  expect(status).toBe(200)
  expect(said.receipts).toEqual(
    many.map((_, index) => ({ event_id: `e${index}`, status: 'stored', seq: index + 1 })),
  )
})

// A clock that steps back leaves a stream's last id ahead of it, and all that comes has that id's millisecond.
test.for([
  ['an hour ahead of the clock', 'ahead.hour', Date.now() + 3_600_000],
  ['of no year that a time can have', 'ahead.ages', 300_000_000_000_000_000],
] as const)('receipts are exact where the last id is %s [P4]', async ([, topic, ms]) => {
  const of = (id: string, amount = 1): string => eventBody({ topic, event_id: id, payload: { amount } })
  await system.publish(of('before'))
  await system.broker.redis.call('XSETID', `${system.broker.prefix}:stream:${topic}`, `${ms}-990`)
  const many = Array.from({ length: 1_200 }, (_, index) => of(`e${index}`))
  const [, told] = await system.publish(`[${many.join(',')}]`)
  expect(told.receipts).toEqual(
    many.map((_, index) => ({ event_id: `e${index}`, status: 'stored', seq: index + 2 })),
  )
  const [, { receipts }] = await system.publish(
    `[${[of('new'), of('new'), of('new', 2), of('e7'), of('e7', 2), of('e1100'), of('before', 2)].join(',')}]`,
  )
  expect(receipts).toEqual([
    { event_id: 'new', status: 'stored', seq: 1_202 },
    { event_id: 'new', status: 'duplicate', seq: 1_202 },
    { event_id: 'new', status: 'conflict', seq: 1_202 },
    { event_id: 'e7', status: 'duplicate', seq: 9 },
    { event_id: 'e7', status: 'conflict', seq: 9 },
    { event_id: 'e1100', status: 'duplicate', seq: 1_102 },
    { event_id: 'before', status: 'conflict', seq: 1 },
  ])
  expect(await system.publish(of('new'))).toMatchObject([200, { status: 'duplicate', seq: 1_202 }, applied])
  expect(await system.publish(of('new', 3))).toMatchObject([409, { code: 'conflict', seq: 1_202 }, applied])
})

test('a preference that makes no sense is none, and one beyond a minute is a minute', async () => {
  for (const prefer of ['wait=soon', 'wait=-1', 'respond-async']) {
    const response = await fetch(
      `${system.url}/publish`,
      post(eventBody({ event_id: prefer }), { Prefer: prefer }),
    )
    expect([response.status, await response.json(), response.headers.get('preference-applied')]).toEqual([
      200,
      { status: 'queued', event_id: prefer },
      null,
    ])
  }
  const body = eventBody({ event_id: 'long' })
  for (const wait of ['1000', '999999999999']) {
    const prefer = { Prefer: `handling=strict, wait=${wait}` }
    const patient = await fetch(`${system.url}/publish`, post(body, prefer))
    expect([patient.status, patient.headers.get('preference-applied')]).toEqual([200, 'wait=60'])
  }
})

test('an event is found by its id, and an id that nobody sent is unknown', async () => {
  await system.publish(eventBody({ topic: 'found', event_id: 'a/b é?%' }))
  const response = await system.get(`/events/found/${encodeURIComponent('a/b é?%')}`)
  expect(response.status).toBe(200)
  const [listed] = (await (await system.get('/events?topic=found')).json()) as unknown[]
  expect(await response.json()).toEqual(listed)
  await system.publish(eventBody({ topic: 'found', event_id: '..' }))
  expect(await (await system.get('/events/found?event_id=..')).json()).toMatchObject({
    event_id: '..',
    seq: 2,
  })
  for (const path of ['found?event_id=none', 'found/none', 'none/none', 'found/%00', 'not%20a%20topic/x']) {
    const missing = await system.get(`/events/${path}`)
    expect([missing.status, await missing.json()]).toMatchObject([
      404,
      { code: 'unknown_event', in_flight: false },
    ])
  }
  for (const path of ['found/a%ff', 'found?event_id=a%ff']) {
    const unreadable = await system.get(`/events/${path}`)
    expect([unreadable.status, await unreadable.json()]).toMatchObject([400, { code: 'bad_request_target' }])
  }
  const head = await fetch(`${system.url}/events/found/none`, { method: 'HEAD' })
  expect(head.status).toBe(404)
  const posted = await fetch(`${system.url}/events/found/none`, { method: 'POST' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
})

test('an event that PostgreSQL refuses is dead, with the reason, to who waits and who asks', async () => {
  const key = `${system.broker.prefix}:stream:refused`
  await system.publish(eventBody({ topic: 'refused', event_id: 'first' }))
  // Past the gateway, which would not let it through.
  await system.broker.redis.xadd(key, '*', 'e', 'bad\0' + '2025-12-08T10:00:00.123456Z\0shop\0{"a":nonsense}')
  await system.broker.redis.xadd(key, '*', 'unreadable', 'x')
  await eventually(async () => {
    const response = await system.get('/events/refused/bad')
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { code: 'dead_event', reason: '22P02' },
    ])
  })
  await using store = connectStore({ url: system.databaseUrl, poolMax: 1, name: 'test' }, { warn: () => {} })
  await store.pool.query(`ALTER TABLE events ADD CHECK (event_id <> 'unwanted') NOT VALID`)
  expect(await system.publish(eventBody({ topic: 'refused', event_id: 'unwanted' }))).toEqual([
    422,
    { status: 422, code: 'dead_event', event_id: 'unwanted', reason: '23514' },
    applied,
  ])
})

test('who waits is counted by events, too, and waits no longer than that when PostgreSQL does not answer', async () => {
  const log = createLog('gateway', 'silent')
  const connect = (name: string) => connectStore({ url: system.databaseUrl, poolMax: 8, name }, log)
  await using store = connect('outcomes')
  await using others = connect('test')
  await using heads = createHeads({ broker: system.broker, store: others, log })
  const { signal } = new AbortController()
  const receipts = createReceipts({ store, heads, log, signal })

  // Fifteen batches are a client's share; what is left is for others, and comes back.
  const [full, ...rest] = Array.from({ length: 15 }, () => receipts.events.share('client'))
  for (const batch of [full, ...rest]) batch?.hold(5_000)
  using another = receipts.events.share('client')
  expect(() => another.hold(1)).toThrow(expect.objectContaining({ code: 'client_limit' }))
  receipts.events.share('other').hold(5_000)
  expect(() => receipts.events.share('other').hold(20_001)).toThrow(
    expect.objectContaining({ code: 'overloaded' }),
  )
  full?.[Symbol.dispose]()
  another.hold(1)

  const locker = await others.pool.connect()
  await using _unlocked = { [Symbol.asyncDispose]: async () => locker.release(true) }
  await locker.query('BEGIN; LOCK TABLE events')
  const sent = {
    topic: 'never' as TopicName,
    eventId: 'e' as EventId,
    position: '9-9' as Position,
    digest: '',
  }
  // Outcomes are read in one query at a time, and this is the one that does not come back.
  const blocked = async () => {
    const { rows } = await others.pool.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'outcomes' AND wait_event_type = 'Lock'`,
    )
    return rows.length
  }
  const first = receipts.wait([sent], 0, signal)
  await eventually(async () => expect(await blocked()).toBe(1))
  const leaving = new AbortController()
  const known = { ...sent, topic: 'orders' as TopicName, position: '0-1' as Position }
  const waits = [20, 40, 60].map((ms) => receipts.wait([sent], ms, signal))
  const left = receipts.wait([known], 60_000, leaving.signal)
  const queued = [{ status: 'queued' }]
  expect(await Promise.all([first, ...waits])).toEqual([queued, ...waits.map(() => queued)])
  leaving.abort()
  expect(await left).toEqual(queued)
  expect(await blocked(), 'the query hangs still').toBe(1)
})

test('without a consumer it is in flight, who waits is told so when the time is up, and who leaves is let go', async () => {
  await using idle = await own()
  const waited = performance.now()
  expect(await idle.publish(eventBody({ event_id: 'w' }), 1)).toEqual([
    202,
    { status: 'queued', event_id: 'w' },
    'wait=1',
  ])
  expect(performance.now() - waited).toBeGreaterThan(950)
  const batch = await idle.publish(`[${eventBody({ event_id: 'w2' })}]`, 0)
  expect(batch).toMatchObject([
    202,
    { status: 'queued', receipts: [{ event_id: 'w2', status: 'queued' }] },
    'wait=0',
  ])
  await eventually(async () => {
    const flying = await idle.get('/events/orders/w')
    expect([flying.status, (await problemIn(flying)).code]).toEqual([404, 'event_in_flight'])
  })

  // As many of one client as may wait; the next is refused, before anything is queued, and another client's is not.
  // Then all leave.
  const connections = () => readdirSync(`/proc/${idle.gateway.pid}/fd`).length
  const before = connections()
  const waiting = (event_id: string, localAddress = '127.0.0.1') => {
    const body = eventBody({ event_id })
    const sent = request(`${idle.url}/publish`, {
      method: 'POST',
      agent: false,
      localAddress,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        Prefer: 'wait=60',
      },
    })
    sent.on('error', () => {})
    sent.end(body)
    return sent
  }
  const entries = async () => (await readStreams(idle.broker)).get('orders')?.entriesAdded
  // Not all at once: a busy machine takes longer to accept them than Redis has time to answer.
  const leaving: ReturnType<typeof waiting>[] = []
  for (let there = 2; there < 752; there += 50) {
    leaving.push(...Array.from({ length: 50 }, (_, index) => waiting(`l${there + index}`)))
    await eventually(async () => expect(await entries()).toBe(there + 50))
  }
  const refused = await fetch(
    `${idle.url}/publish`,
    post(eventBody({ event_id: 'late' }), { Prefer: 'wait=1' }),
  )
  expect([refused.status, (await problemIn(refused)).code]).toEqual([429, 'client_limit'])
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(await entries()).toBe(752)
  leaving.push(waiting('of another', '127.0.0.2'))
  await eventually(async () => expect(await entries()).toBe(753))
  for (const sent of leaving) sent.destroy()
  // All of them, not only the first: the next 700 need their places.
  await eventually(() => expect(connections()).toBeLessThan(before + 50))
  expect((await idle.publish(eventBody({ event_id: 'after' }), 0))[0]).toBe(202)

  // Hundreds that wait hear of it when a consumer comes.
  const staying = Array.from({ length: 700 }, (_, index) =>
    idle.publish(eventBody({ event_id: `s${index}` }), 30),
  )
  await eventually(async () => expect(await entries()).toBe(1_454))
  // What Redis has lost of a batch, a pack, is said of those events alone.
  const gone = Array.from({ length: 32 }, (_, index) => `gone${index}`)
  const ids = [...gone, 'there']
  const lossyBatch = idle.publish(`[${ids.map((event_id) => eventBody({ topic: 'lossy', event_id }))}]`, 30)
  const lossy = `${idle.broker.prefix}:stream:lossy`
  await eventually(async () => expect(await idle.broker.redis.xlen(lossy)).toBe(2))
  const [[first = ''] = []] = await idle.broker.redis.xrange(lossy, '-', '+', 'COUNT', 1)
  await idle.broker.redis.xdel(lossy, first)
  await using _consumer = idle.startConsumer()
  const receipts = [
    ...gone.map((event_id) => ({ event_id, status: 'lost' })),
    { event_id: 'there', status: 'stored', seq: 1 },
  ]
  expect(await lossyBatch).toEqual([200, { status: 'settled', queued: 33, receipts }, 'wait=30'])
  const answers = await Promise.all(staying)
  expect(answers.every(([status, said]) => status === 200 && said.status === 'stored')).toBe(true)
  expect(new Set(answers.map(([, said]) => said.seq)).size).toBe(700)
})
