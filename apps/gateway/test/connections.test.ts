/** Who gets a connection, and how many a client may have: only real sockets show it. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createClients } from '../src/clients/clients.ts'
import { createProbes, serveProbes } from '../src/operate/probes.ts'
import { createConnections } from '../src/sockets/connections.ts'
import { createGateway, nowhere } from './gateway.ts'
import { type Answer, closing, done, get, holdOrDone, room, serve } from './serve.ts'
import { anyPort } from './served-gateway.ts'

test('a client alone has three quarters of all requests under way, and there is room for others', async () => {
  await using server = await serve(holdOrDone, room(8))
  const held = await Promise.all(Array.from({ length: 6 }, () => server.open('127.0.0.1', get('/held'))))
  await server.hasBegun(6)
  const refused = await server.ask('127.0.0.1', get())
  expect(refused).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/)
  expect(refused).toMatch(/\r\nRetry-After: [123]\r\n/)
  expect(refused).toContain('\r\nConnection: close\r\n')
  expect(refused).toContain('"code":"client_limit"')
  expect(await server.ask('127.0.0.2', get('/', closing))).toContain('done')
  held[0]?.destroy()
  await eventually(async () => expect(await server.ask('127.0.0.1', get('/', closing))).toContain('done'))
})

test('behind a trusted proxy it is whom it forwards that has a share', async () => {
  const connections = createConnections({ ordinaryMax: 8, clients: createClients(['127.0.0.1']) })
  await using server = await serve(holdOrDone, { connections })
  const as = (client: string) => `X-Forwarded-For: ${client}\r\n`
  for (let n = 0; n < 6; n++) await server.open('127.0.0.1', get('/held', as('192.0.2.1')))
  await server.hasBegun(6)
  expect(await server.ask('127.0.0.1', get('/', as('192.0.2.1')))).toContain('"code":"client_limit"')
  expect(await server.ask('127.0.0.1', get('/', as('192.0.2.2') + closing))).toContain('done')
})

test.each([
  ['say nothing', ''],
  ['never finish a head', 'GET / HTTP/1.1\r\nHost: a\r\n'],
  ['have had their answer, and do not read it', get()],
])('connections that %s give way to those who come, the longest idle first', async (_, sent) => {
  await using server = await serve(done, room(8))
  const gone: number[] = []
  for (let n = 0; n < 8; n++) {
    const socket = await server.open('127.0.0.1', sent)
    socket.once('close', () => gone.push(n)).on('data', () => {})
    if (sent === get()) await server.hasBegun(n + 1)
  }
  expect(await server.ask('127.0.0.2', get('/', closing))).toContain('done')
  await eventually(() => expect(gone).toEqual([0]))
  for (let n = 0; n < 3; n++) await server.open('127.0.0.1')
  await eventually(() => expect(gone).toEqual([0, 1, 2]))
})

test('whoever comes again and again closes its own connections', async () => {
  await using server = await serve(done, room(8))
  const patient = await server.open('127.0.0.2')
  const isOpen = () => !patient.readableEnded && !patient.destroyed
  for (let n = 0; n < 30; n++) await server.open('127.0.0.1')
  expect(isOpen()).toBe(true)
  patient.write(get('/', closing))
  expect(await text(patient)).toContain('done')
})

test('when all are busy a newcomer is told so, whether it has sent something or not', async () => {
  await using server = await serve(holdOrDone, room(3))
  for (let n = 0; n < 3; n++) await server.open('127.0.0.1', get('/held'))
  await server.hasBegun(3)
  const answers = await Promise.all([
    server.ask('127.0.0.2', get()),
    server.ask('127.0.0.2', ''),
    // More than are waited for.
    ...Array.from({ length: 100 }, () => server.ask('127.0.0.2', '')),
  ])
  for (const answer of answers) {
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n(.*\r\n)*Retry-After: [123]\r\n/)
    expect(answer).toContain('\r\nConnection: close\r\n')
    expect(answer).toContain('"code":"overloaded"')
  }
  expect(server.begun.length).toBe(3)
})

test('of the tails, too, a client alone has three quarters', async () => {
  const connections = createConnections({ ordinaryMax: 4, tailsMax: 8 })
  const outcomes: unknown[] = []
  const answer: Answer = ({ socket }) => {
    try {
      outcomes.push(connections.becomeTail(socket))
    } catch (error) {
      outcomes.push((error as { code: string }).code)
    }
  }
  await using server = await serve(answer, { connections })
  for (let n = 1; n <= 7; n++) {
    await server.open('127.0.0.1', get())
    await server.hasBegun(n)
  }
  await server.open('127.0.0.2', get())
  await server.hasBegun(8)
  expect(outcomes).toEqual([true, true, true, true, true, true, 'client_limit', true])
})

test('health is answered on a port of its own while the door is full', async () => {
  await using gateway = createGateway(nowhere)
  const parts = { readiness: gateway.readiness, signal: gateway.drain.signal }
  await using probes = await serveProbes(createProbes(parts, createLog('gateway', 'silent')), anyPort)
  await using server = await serve(holdOrDone, room(2))
  for (let n = 0; n < 2; n++) await server.open('127.0.0.1', get('/held'))
  await server.hasBegun(2)
  expect((await fetch(server.url)).status).toBe(503)
  const status = async (path: string) => (await fetch(`${probes.url}${path}`)).status
  expect(await status('/healthz')).toBe(200)
  expect(await status('/readyz')).toBe(503) // there is no Redis
  expect(await status('/events')).toBe(404)
  const socket = connect(Number(new URL(probes.url).port), '127.0.0.1')
  socket.write('OPTIONS / HTTP/1.0\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 503 /)
})
