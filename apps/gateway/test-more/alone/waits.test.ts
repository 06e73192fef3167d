/** Publishers that wait for an outcome: how many may, and how long, when none comes. */
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { readStreams } from '@sekali/broker/streams'
import type { EventId, TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { createLog } from '@sekali/process/log'
import { connectStore } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { createHeads } from '../../src/heads/heads.ts'
import { createReceipts } from '../../src/publish/receipts.ts'
import { eventBody, post, problemIn } from '../../test/gateway.ts'
import { ownReceipts } from '../../test/own-receipts.ts'

test('who waits is counted by events, too, and waits no longer than that when PostgreSQL does not answer', async () => {
  await using broker = await ownBroker()
  await using database = await ownDatabase()
  const log = createLog('gateway', 'silent')
  const connect = (name: string) => connectStore({ url: database.url, poolMax: 8, name }, log)
  await using store = connect('outcomes')
  await using others = connect('test')
  await storeEvents(others, [event()])
  await using heads = createHeads({ broker, store: others, log })
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
    timestamp: '2025-12-08T10:00:00Z',
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

test('without a consumer an event is in flight: a client that waits is answered when the time is up, and one that leaves is let go', async () => {
  await using idle = await ownReceipts()
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
