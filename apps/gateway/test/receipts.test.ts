/** What came of an event: told to who waits for it, and to who asks later. */
import { connectStore } from '@sekali/store/connect'
import type { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventBody, post } from './gateway.ts'
import { ownReceipts } from './own-receipts.ts'

let system: Awaited<ReturnType<typeof ownReceipts>>
let consumer: ReturnType<typeof startApp>
beforeAll(async () => {
  system = await ownReceipts()
  consumer = system.startConsumer()
})
afterAll(async () => {
  await consumer[Symbol.asyncDispose]()
  await system[Symbol.asyncDispose]()
})

const applied = 'wait=10'

test('a receipt says stored, duplicate or conflict, and the seq that the id has', async () => {
  const body = eventBody({ event_id: 'a/b é?' })
  expect(await system.publish(body)).toEqual([200, { status: 'stored', event_id: 'a/b é?', seq: 1 }, applied])
  expect(await system.publish(body)).toEqual([
    200,
    { status: 'duplicate', event_id: 'a/b é?', seq: 1 },
    applied,
  ])
  const stamped = eventBody({ event_id: 'a/b é?', timestamp: '2025-12-08T10:00:00.000001Z' })
  expect(await system.publish(stamped)).toEqual([
    200,
    { status: 'duplicate', event_id: 'a/b é?', seq: 1, differs: ['timestamp'] },
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

test('a batch gets a receipt for each event, in its order, also when ids come twice and topics differ', async () => {
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
  await using store = connectStore({ url: system.databaseUrl, poolMax: 1, name: 'test' }, quiet)
  await store.pool.query(`ALTER TABLE events ADD CHECK (event_id <> 'unwanted') NOT VALID`)
  expect(await system.publish(eventBody({ topic: 'refused', event_id: 'unwanted' }))).toEqual([
    422,
    { status: 422, code: 'dead_event', event_id: 'unwanted', reason: '23514' },
    applied,
  ])
})
