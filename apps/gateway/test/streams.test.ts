/** Streams of lines that are no good, or take their time. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { untilConnected } from '@sekali/broker/connect'
import { readStreams } from '@sekali/broker/streams'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { eventBody, type ProblemBody } from './gateway.ts'
import { type ServedGateway, serveGateway } from './served-gateway.ts'

const lineMs = 400
let stack: AsyncDisposableStack
let gateway: ServedGateway
beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase())
  const { prefix } = stack.use(await ownBroker())
  gateway = stack.use(
    await serveGateway({
      redisUrl: inject('redisUrl'),
      databaseUrl: database.url,
      prefix,
      patience: { silenceMs: 20_000, lineMs },
    }),
  )
  await untilConnected(gateway.broker, 15_000)
})
afterAll(() => stack.disposeAsync())

function open(localAddress = '127.0.0.1'): ClientRequest {
  const headers = { 'Content-Type': 'application/x-ndjson' }
  const sent = request(`${gateway.url}/publish`, { method: 'POST', agent: false, localAddress, headers })
  sent.on('error', () => undefined) // it is hung up on while it sends
  sent.flushHeaders()
  return sent
}

interface Said extends ProblemBody {
  readonly queued: number
  readonly lines_read: number
  readonly invalid: number
  readonly lines: readonly unknown[]
}

async function answerOf(sent: ClientRequest): Promise<{ readonly status: number; readonly said: Said }> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = await response.setEncoding('utf8').reduce((all: string, piece: string) => all + piece, '')
  return { status: Number(response.statusCode), said: JSON.parse(text) }
}

const line = (id: string) => `${eventBody({ topic: 'streams', event_id: id })}\n`

test('after a thousand bad lines the rest is not read, and the answer says how far it was', async () => {
  const sent = open()
  const bad = 'x\n{"topic":1}\n\n'.repeat(499)
  // The third from last is the thousandth bad one.
  sent.end(`${line('a')}${bad}${line('b')}{\n[]\n${line('c')}{\n`)
  const { status, said } = await answerOf(sent)
  expect([status, said.code]).toEqual([422, 'invalid_lines'])
  expect(said).toMatchObject({ queued: 2, invalid: 1_000, lines_read: 1_501 })
  expect(said.detail).toContain('lines_read')
  expect(said.lines).toHaveLength(100)
})

test('lines behind the thousandth bad one are not waited for', async () => {
  const sent = open()
  sent.write('x\n'.repeat(1_000))
  const { status, said } = await answerOf(sent)
  expect([status, said.lines_read]).toEqual([422, 1_000])
  sent.destroy()
})

test('blank lines by the million are read, and counted', async () => {
  const sent = open()
  sent.end(`${'\n'.repeat(300_000)}${'\r\n'.repeat(1_000)}${line('after')}x`)
  const { status, said } = await answerOf(sent)
  expect([status, said.queued, said.lines_read]).toEqual([422, 1, 301_002])
})

test('a line that trickles in is not waited for, and what came before it is queued', async () => {
  const sent = open()
  sent.write(line('whole'))
  const trickle = setInterval(() => sent.write('x'), 50)
  const { status, said } = await answerOf(sent)
  clearInterval(trickle)
  expect([status, said.code, said.queued, said.lines_read]).toEqual([408, 'request_timeout', 1, 1])
  expect(said.detail).toContain('lines_read')
  sent.destroy()
})

test('half a line and then silence took too long: it is the gateway that gave up', async () => {
  const sent = open()
  sent.write(`${line('before')}{"topic":`)
  const { status, said } = await answerOf(sent)
  expect([status, said.code, said.queued, said.lines_read]).toEqual([408, 'request_timeout', 1, 1])
  sent.destroy()
})

test('a byte order mark in the middle, as of files that were put together, is named', async () => {
  const sent = open()
  sent.end(`\ufeff${line('marked')}\ufeff${line('marked too')}\ufeff\n`)
  const { status, said } = await answerOf(sent)
  expect([status, said.queued, said.invalid]).toEqual([422, 1, 2])
  const message = expect.stringContaining('byte order mark')
  expect(said.lines).toEqual([
    { line: 2, errors: [{ path: '', code: 'invalid_line', message }] },
    { line: 3, errors: [{ path: '', code: 'invalid_line', message }] },
  ])
})

test('a gateway that is busy while the rest of a line waits in the socket does not blame the client', async () => {
  const idOf = async () => (await readStreams(gateway.broker, ['streams'])).get('streams')?.lastId
  const before = await idOf()
  const sent = open()
  const rest = line('late')
  sent.write(`${line('early')}${rest.slice(0, 20)}`)
  await eventually(async () => expect(await idOf()).not.toBe(before))
  sent.write(rest.slice(20))
  await new Promise(process.nextTick) // now it is in the socket
  for (const since = performance.now(); performance.now() - since < 2 * lineMs; );
  sent.end()
  expect(await answerOf(sent)).toMatchObject({ status: 200, said: { queued: 2 } })
})

test('between two lines a stream may take longer than a line may', async () => {
  const sent = open()
  for (const id of ['first', 'second']) {
    const text = line(id)
    sent.write(text.slice(0, 20))
    sent.write(text.slice(20))
    await pause(lineMs + 200) // a producer that has nothing to say
  }
  sent.end()
  expect(await answerOf(sent)).toMatchObject({ status: 200, said: { queued: 2 } })
})

test('a stream whose chunks end in the middle of a line, always, takes as long as it likes', async () => {
  const sent = open()
  const answered = answerOf(sent)
  for (let index = 0; index < 6; index++) {
    const text = line(`cut${index}`)
    sent.write(
      `${text.slice(30)}${line(`cut${index}`).slice(0, 30)}`.slice(index === 0 ? text.length - 30 : 0),
    )
    await pause(lineMs / 3)
  }
  sent.end(line('cut5').slice(30))
  expect(await answered).toMatchObject({ status: 200, said: { queued: 6 } })
})

test('open streams of one client leave room for those of another', async () => {
  const sent: ClientRequest[] = []
  const first = line('held').replace('streams', 'held')
  for (let index = 0; index < 384; index++) {
    const one = open()
    one.write(first)
    sent.push(one)
  }
  await eventually(async () => {
    expect((await readStreams(gateway.broker)).get('held')?.entriesAdded).toBe(384)
  })
  const refused = open()
  refused.end(line('refused'))
  expect(await answerOf(refused)).toMatchObject({ status: 429, said: { code: 'client_limit' } })
  const other = open('127.0.0.2')
  other.end(line('other'))
  expect(await answerOf(other)).toMatchObject({ status: 200, said: { queued: 1 } })
  for (const one of sent) one.destroy()
})
