/** What answers may take in memory, until their clients have read them. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createClients } from '../src/clients/clients.ts'
import { refusalOf } from '../src/http/problem.ts'
import { reply, toResponse } from '../src/http/reply.ts'
import { createResponses } from '../src/http/responses.ts'
import { serveHttp } from '../src/sockets/server.ts'
import { createGateway, nowhere, problemIn } from './gateway.ts'

const megabyte = 1024 * 1024
/** More than the kernel takes of a response that nobody reads. */
const page = 'x'.repeat(12 * megabyte)
/** With the end of its line. */
const pageBytes = page.length + 1

/** A server of such pages, with room for five of them. */
async function serve() {
  const stack = new AsyncDisposableStack()
  const log = createLog('gateway', 'silent')
  const { counted } = createResponses(createClients(), 5 * pageBytes)
  const app = new Hono()
  let made = 0
  app.get(
    '/page',
    counted(() => {
      made += 1
      return reply(200, page)
    }),
  )
  app.get(
    '/small',
    counted(() => reply(200, '{}')),
  )
  app.onError((error) => toResponse(refusalOf(error, log, Math.random)))
  const server = stack.use(
    await serveHttp(getRequestListener(app.fetch), { host: '127.0.0.1', port: 0, drainMs: 0 }),
  )
  return {
    url: server.url,
    made: () => made,
    /** Asks for a page and reads nothing but its beginning. */
    async ask(localAddress = '127.0.0.1'): Promise<Socket> {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port), localAddress })
      stack.defer(() => void socket.destroy())
      socket.on('error', () => undefined)
      socket.write('GET /page HTTP/1.1\r\nHost: a\r\n\r\n')
      const [head] = (await once(socket, 'data')) as [Buffer]
      socket.pause()
      return Object.assign(socket, { status: Number(String(head.subarray(9, 12))) })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('pages that nobody reads are bounded, with a share for each client, and room comes back', async () => {
  await using server = await serve()
  const statuses = async (count: number, from?: string) => {
    const sockets: Socket[] = []
    for (let n = 0; n < count; n++) sockets.push(await server.ask(from))
    return { sockets, codes: sockets.map((socket) => (socket as Socket & { status: number }).status) }
  }
  const first = await statuses(5)
  expect(first.codes).toEqual([200, 200, 200, 429, 429])
  const second = await statuses(2, '127.0.0.2')
  expect(second.codes).toEqual([200, 429])
  expect((await fetch(`${server.url}/small`)).status).toBe(429)
  first.sockets[0]?.destroy()
  await eventually(async () => expect((await fetch(`${server.url}/small`)).status).toBe(200))
  first.sockets[1]?.resume() // read to its end: the same connection goes on
  await eventually(async () =>
    expect((await (await fetch(`${server.url}/page`)).text()).length).toBe(pageBytes),
  )
})

test.each([
  '/events',
  '/events?limit=1000',
  '/events/orders/1',
  '/projections',
  '/projections/activity',
  '/projections/activity/key',
  '/stats',
  '/doctor',
])('without room %s is refused before anybody is asked', async (path) => {
  await using gateway = createGateway({ ...nowhere, responseBytesMax: 1024 })
  const response = await gateway.app.request(path)
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
  expect(await problemIn(response)).toMatchObject({ code: 'overloaded' })
})
