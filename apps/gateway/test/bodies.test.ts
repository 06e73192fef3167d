/** How a body may be written: one rule for single events, arrays and lines. */
import { limits } from '@sekali/core/limits'
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange } from './exchange.ts'
import { eventBody, post } from './gateway.ts'
import { ownSystem, type System } from './system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem()
})
afterAll(() => system[Symbol.asyncDispose]())

type Part = string | number
const bytesOf = (...parts: readonly Part[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))))

async function send(body: Uint8Array<ArrayBuffer>, type: string, headers: Record<string, string> = {}) {
  const init = { method: 'POST', body, headers: { 'Content-Type': type, ...headers } }
  const response = await fetch(`${system.url}/publish`, init)
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}

const json = 'application/json'
const ndjson = 'application/x-ndjson'
const mark = '\uFEFF'
const event = (id: string) => eventBody({ topic: 'bodies', event_id: id })

/** Each way to send the events, and how many of them are taken. */
const ways = [
  ['one event', json, (...events: string[]) => events[0] ?? ''],
  ['an array', json, (...events: string[]) => `[${events.join(',')}]`],
  ['lines', ndjson, (...events: string[]) => events.join('\n')],
] as const

test.each(ways)('%s may begin with a byte order mark, and have one nowhere else', async (_, type, write) => {
  expect((await send(bytesOf(mark, write(event('a'))), type)).status).toBe(200)
  expect((await send(bytesOf(mark, mark, write(event('a'))), type)).status).toBeGreaterThanOrEqual(400)
  expect((await send(bytesOf(write(event('a')), mark), type)).status).toBeGreaterThanOrEqual(400)
  const second = await send(bytesOf(write(event('a'), mark + event('b'))), type)
  expect(second.status === 200).toBe(type === json && !write('').startsWith('['))
})

test('an array with a byte order mark may be as large as one without', async () => {
  const body = bytesOf(mark, '[', event('a').padEnd(limits.bodyBytesMax + 1, ' '), ']')
  expect((await send(body, json)).status).toBe(200)
})

test.each(ways)(
  '%s that is not UTF-8 is refused for that, and no byte is replaced [P8]',
  async (_, type, write) => {
    for (const byte of [0xff, 0xfe, 0xc3]) {
      const [before = '', after = ''] = write(event('id-here')).split('id-here')
      const { status, answer } = await send(bytesOf(before, byte, after), type)
      expect(status).toBe(type === json ? 400 : 422)
      expect(JSON.stringify(answer)).toMatch(/must be UTF-8: it has bytes that are not/)
    }
    const { answer } = await send(bytesOf(0xff, 0xfe, '{', 0, '}', 0), type)
    expect(JSON.stringify(answer)).toMatch(/must be UTF-8: its first two bytes say that it is UTF-16/)
  },
)

test('a line is blank if it has only the white space of JSON', async () => {
  const { status } = await send(bytesOf(' \t\r\n', event('a'), '\r\n\r\n'), ndjson)
  expect(status).toBe(200)
  for (const space of ['\u00a0', '\u2028', '\f']) {
    expect((await send(bytesOf(event('a'), '\n', space, '\n'), ndjson)).answer).toMatchObject({
      queued: 1,
      lines: [{ line: 2 }],
    })
  }
})

test.each(['identity', 'Identity', 'identity, identity'])('Content-Encoding: %s is none', async (coding) => {
  for (const [, type, write] of ways) {
    const { status } = await send(bytesOf(write(event('a'))), type, { 'Content-Encoding': coding })
    expect(status).toBe(200)
  }
})

test.each(['gzip', 'identity, gzip', 'br'])('Content-Encoding: %s is refused', async (coding) => {
  const { status, answer } = await send(bytesOf(event('a')), json, { 'Content-Encoding': coding })
  expect([status, answer.code]).toEqual([415, 'unsupported_encoding'])
})

const times = ['10:00:00.123456Z', '10:00:00.123456789Z', '10:00:00.1234560z', '11:00:00.12345699+01:00']

test('times that differ behind the microsecond are the same: the event is one, by whatever way it comes [P8]', async () => {
  const publish = (time: string, id: string) =>
    eventBody({ topic: 'nanos', event_id: id, timestamp: `2025-12-08T${time}` })
  for (const [index, [, type, write]] of ways.entries()) {
    for (const time of times)
      expect((await send(bytesOf(write(publish(time, `e${index}`))), type)).status).toBe(200)
  }
  const wait = { Prefer: 'wait=20' }
  const again = await send(bytesOf(publish('10:00:00.123456001Z', 'e0')), json, wait)
  expect(again).toMatchObject({ status: 200, answer: { status: 'duplicate', seq: 1 } })
  expect(again.answer).not.toHaveProperty('differs')
  const other = await send(bytesOf(publish('10:00:00.123457Z', 'e0')), json, wait)
  expect(other).toMatchObject({ status: 200, answer: { seq: 1, differs: ['timestamp'] } })
  await system.settled()
  const events = (await (await system.get('/events?topic=nanos&after=0')).json()) as { timestamp: string }[]
  expect(events.map(({ timestamp }) => timestamp)).toEqual(
    Array.from({ length: 3 }, () => '2025-12-08T10:00:00.123456Z'),
  )
  await eventually(async () => {
    const { topics } = (await (await system.get('/stats?topic=nanos')).json()) as { topics: unknown[] }
    expect(topics[0]).toMatchObject({ stored: 3, duplicates: 11, conflicts: 0 })
  })
})

test('requests that come at once on a connection, and wait, leave no listeners behind', async () => {
  const body = eventBody({ topic: 'at-once' })
  const head = `POST /publish HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=5\r\nContent-Type: ${json}\r\n`
  const waiting = `${head}Content-Length: ${body.length}\r\n\r\n${body}`.repeat(30)
  const answers = await exchange(system.url, waiting, 'GET /healthz HTTP/1.0\r\n\r\n')
  expect(answers.match(/"seq":1\}/g)).toHaveLength(30)
  expect(system.gateway.output()).not.toContain('MaxListeners')
})

test('a search is by the microsecond, too', async () => {
  await system.publish({ topic: 'sought', timestamp: '2025-12-08T10:00:00.123456789Z' })
  await system.settled()
  const found = async (query: string) =>
    ((await (await system.get(`/events?topic=sought&${query}`)).json()) as unknown[]).length
  expect(await found('from=2025-12-08t10:00:00.123456999z')).toBe(1)
  expect(await found('from=2025-12-08T10:00:00.123457Z')).toBe(0)
  expect(await found('to=2025-12-08T10:00:00.123456999Z')).toBe(0)
  expect(await found('to=2025-12-08T10:00:00.123457000Z')).toBe(1)
})

test.each([
  ['2026-02-29T00:00:00Z', 'must be a day that the calendar has'],
  ['2026-02-28T24:00:00Z', 'must have an hour from 00 to 23'],
  ['2026-02-28T10:00:00', 'must have an offset'],
  ['2026-02-28T10:00:00.1234567890Z', 'must have at most nine fractional digits'],
])('the answer to %s says what is wrong, in events and in queries', async (time, rule) => {
  for (const [, type, write] of ways) {
    const { status, answer } = await send(bytesOf(write(eventBody({ timestamp: time }))), type)
    expect(status).toBe(422)
    expect(JSON.stringify(answer)).toContain(rule)
  }
  const response = await system.get(`/events?from=${time}`)
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({
    errors: [{ path: 'from', message: expect.stringContaining(rule) }],
  })
})

test.each(['?', '?x', '?%00=true', '?source=webhook&token=1'])(
  'POST /publish%s takes the body: a query says nothing there',
  async (query) => {
    const signal = AbortSignal.timeout(5_000)
    const sent = { ...post(eventBody({ topic: 'asked', event_id: query })), signal }
    expect((await fetch(`${system.url}/publish${query}`, sent)).status).toBe(200)
  },
)
