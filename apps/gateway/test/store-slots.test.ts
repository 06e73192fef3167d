/** Who reads the store for requests, and in which order. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { createLog } from '@sekali/process/log'
import { connectStore } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { Hono } from 'hono'
import { expect, inject, test } from 'vitest'
import { createClients } from '../src/clients/clients.ts'
import { refusalOf } from '../src/http/problem.ts'
import { reply, toResponse } from '../src/http/reply.ts'
import { createStoreSlots } from '../src/read/store-slots.ts'
import { serveHttp } from '../src/sockets/server.ts'
import { problemIn } from './gateway.ts'
import { serveGateway } from './served-gateway.ts'

const log = createLog('gateway', 'silent')

/** A gateway, and what it answers to requests from an address. */
async function ownGateway() {
  const stack = new AsyncDisposableStack()
  const { url: databaseUrl } = stack.use(await ownDatabase())
  const parts = { redisUrl: inject('redisUrl'), databaseUrl, prefix: ownPrefix() }
  const gateway = stack.use(await serveGateway(parts, { drainMs: 0 }))
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  stack.defer(() => agent.destroy())
  return {
    databaseUrl,
    store: gateway.store,
    arrived: gateway.arrived,
    async statusOf(path: string, localAddress: string): Promise<number | undefined> {
      const asked = request(`${gateway.url}${path}`, { localAddress, agent }).end()
      const [answer] = (await once(asked, 'response')) as [IncomingMessage]
      await once(answer.resume(), 'end')
      return answer.statusCode
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test.each([
  ['/events?topic=orders&limit=1000', '/events?topic=orders&limit=1'],
  ['/events?topic=orders&limit=1000', '/events/orders/e1'],
  ['/events/orders/e1', '/events/orders/e2'],
])('while one client floods %s, another that asks for %s comes before all that waits', async (flood, one) => {
  await using own = await ownGateway()
  const events = Array.from({ length: 1_000 }, (_, n) => event({ topic: 'orders', eventId: `e${n}` }))
  await storeEvents(own.store, events)
  // Nothing of what has begun gets on until all have come.
  // Nothing that has begun gets on, and so PostgreSQL can tell how many have.
  await using operator = connectStore({ url: own.databaseUrl, poolMax: 2, name: 'test' }, log)
  const begun = async () => {
    const { rows } = await operator.pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    return rows.length
  }
  const lock = await operator.pool.connect()
  await lock.query('BEGIN; LOCK TABLE events')
  try {
    const flooding = Array.from({ length: 60 }, () => own.statusOf(flood, '127.0.0.20'))
    await eventually(async () => expect([own.arrived(), await begun()]).toEqual([60, 3]), 2_000)
    const other = own.statusOf(one, '127.0.0.21')
    await eventually(async () => expect([own.arrived(), await begun()]).toEqual([61, 4]), 1_500)
    await lock.query('COMMIT')
    expect(await other).toBe(200)
    await Promise.all(flooding)
  } finally {
    lock.release(true)
  }
})

test('a client that waits too long is asked to come again, and one that has left waits no more', async () => {
  const { slotted } = createStoreSlots(createClients(), 300)
  const app = new Hono<{ Bindings: HttpBindings }>()
  const done = Promise.withResolvers<void>()
  let begun = 0
  app.get(
    '/',
    slotted(async () => {
      begun += 1
      await done.promise
      return reply(200, '{}')
    }),
  )
  app.onError((error) => toResponse(refusalOf(error, log, Math.random)))
  await using server = await serveHttp(getRequestListener(app.fetch), {
    host: '127.0.0.1',
    port: 0,
    drainMs: 0,
  })
  const first = Array.from({ length: 3 }, () => fetch(server.url))
  await eventually(() => expect(begun).toBe(3))
  const late = await fetch(server.url)
  expect([late.status, late.headers.has('retry-after'), (await problemIn(late)).code]).toEqual([
    503,
    true,
    'overloaded',
  ])
  const leaves = new AbortController()
  const left = fetch(server.url, { signal: leaves.signal }).catch(() => 'left')
  setTimeout(() => leaves.abort(), 50)
  expect(await left).toBe('left')
  await new Promise((resolve) => setTimeout(resolve, 50))
  done.resolve()
  for (const one of first) expect((await one).status).toBe(200)
  expect(begun).toBe(3)
  expect((await fetch(server.url)).status).toBe(200)
})
