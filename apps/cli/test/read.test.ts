import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createClient } from '@sekali/client/client'
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, startShell } from './command.ts'
import { ownSystem, type System } from './system.ts'

const payload = '{"order":9007199254740993,"total":12.50,"text":"a\u009bb"}'
const text = (topic: string, n: number, source: string, payload: string) =>
  `{"topic":"${topic}","event_id":"e${n}","timestamp":"2025-12-08T10:00:00Z","source":"${source}","payload":${payload}}`

let system: System
beforeAll(async () => {
  system = await ownSystem()
  const client = createClient({ baseUrl: system.url })
  await client.publishAll([
    ...Array.from({ length: 3_000 }, (_, n) => text('orders.eu', n, 'till', '{}')),
    text('orders.eu.paid', 1, 'till', '{"customer":"c-1","total":12.5}'),
    text('orders.us', 1, 'desk\\u001b[2J', payload),
    text('orders.broken', 1, 'till', '{\n"a": "\u2028"}'),
  ])
  await eventually(async () => expect((await client.stats()).totals.stored).toBe(3_003), 30_000)
})
afterAll(() => system[Symbol.asyncDispose]())

const seqs = (lines: string) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).seq)

test('a replay is the whole log, oldest first, and its payloads are what was sent', async () => {
  const all = await run(['replay', 'orders.eu'], system.url)
  expect(all.code).toBe(0)
  expect(seqs(all.out)).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1))
  const other = await run(['replay', 'orders.*', '--source', 'desk\u001b[2J'], system.url)
  expect(other.out).toContain(`"payload":${payload},"seq":1,`)
  const some = await run(['replay', 'orders.eu', '--after', '2997', '--limit', '2'], system.url)
  expect(seqs(some.out)).toEqual([2_998, 2_999])
  const newest = await run(['replay', 'orders.eu', '--order', 'desc', '--limit', '2'], system.url)
  expect(seqs(newest.out)).toEqual([3_000, 2_999])
})

/** A proxy that speaks HTTP/1.0 to the gateway, as nginx does, and passes the lines of its answer on that fit into so many bytes. */
async function halvingProxy(target: string, bytesMax: number) {
  const proxy = createServer((incoming, outgoing) => {
    const { host, port } = new URL(target)
    const upstream = connect(Number(port), '127.0.0.1')
    const { accept, prefer = '' } = incoming.headers
    upstream.write(
      `GET ${incoming.url} HTTP/1.0\r\nHost: ${host}\r\nAccept: ${accept}\r\nPrefer: ${prefer}\r\n\r\n`,
    )
    let answer = ''
    upstream.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk
      if (answer.length > bytesMax) upstream.destroy()
    })
    upstream.on('close', () => {
      const passed =
        answer.length > bytesMax ? answer.slice(0, answer.lastIndexOf('\n', bytesMax) + 1) : answer
      const [head = '', ...rest] = passed.split('\r\n\r\n')
      const applied = /^preference-applied: (.*)$/im.exec(head)?.[1]
      outgoing.writeHead(200, applied === undefined ? {} : { 'Preference-Applied': applied.trim() })
      outgoing.end(rest.join('\r\n\r\n'), 'latin1') // as if that had been all
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.close()
      proxy.closeAllConnections()
    },
  }
}

test('a replay of which a proxy passes a part on as if it were all goes on, or ends with 3 and says so', async () => {
  await using proxy = await halvingProxy(system.url, 300_000)
  const all = await run(['replay', 'orders.eu'], proxy.url)
  expect(all.code).toBe(0)
  expect(seqs(all.out)).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1))
  const newest = await run(['replay', 'orders.eu', '--order', 'desc'], proxy.url)
  expect(newest.code).toBe(3)
  expect(newest.err).toMatch(
    /^the replay broke off after \d+ events: there are more\nsekali: what .* broke off .*\n$/,
  )
  expect(newest.out.split('\n').length).toBeLessThan(3_000)
  const json = await run(['replay', 'orders.eu', '--order', 'desc', '--json'], proxy.url)
  expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'broken_off' } })
})

test('a replay into head ends well and prints no error', async () => {
  await using pipe = startShell("sekali replay 'orders.>' | head -n 2", { SEKALI_URL: system.url })
  const { code, out, err } = await pipe.ended
  expect({ code, err, lines: out.split('\n').length }).toEqual({ code: 0, err: '', lines: 3 })
})

test('a full disk is reported in one line, with a code of its own', async () => {
  await using full = startShell('sekali replay orders.eu > /dev/full', { SEKALI_URL: system.url })
  const { code, err } = await full.ended
  expect(code).toBe(74)
  expect(err).toMatch(/^sekali: cannot write what is read: .*ENOSPC.*\n$/)
})

test('events are lines for people, in which nobody can steer the terminal', async () => {
  const { code, out } = await run(['events', 'orders.us'], system.url)
  expect(code).toBe(0)
  expect(out).toBe(
    '2025-12-08T10:00:00.000000Z  orders.us  #1  desk\\u001b[2J  ' +
      '{"order":9007199254740993,"total":12.50,"text":"a\\u009bb"}\n',
  )
  const broken = await run(['events', 'orders.broken', '--json'], system.url)
  expect(broken.out.split('\n')).toHaveLength(2) // with --json a value is a line, also where its payload has several
  expect(JSON.parse(broken.out)).toMatchObject({ payload: { a: '\u2028' } })
  const one = await run(['event', 'orders.broken', 'e1', '--json'], system.url)
  expect(one.out.split('\n')).toHaveLength(2)
  const json = await run(['events', 'orders.eu', '--json', '--limit', '3'], system.url)
  expect(seqs(json.out)).toEqual([3_000, 2_999, 2_998])
  expect(await run(['events', 'nothing.here'], system.url)).toMatchObject({ code: 0, out: 'no events\n' })
})

test('times are taken as people write them, and what is none is a usage error with examples', async () => {
  const count = async (...args: string[]) =>
    seqs((await run(['replay', 'orders.eu', ...args], system.url)).out || '[]').filter(Number).length
  expect(await count('-f', '1h', '--by', 'received_at')).toBe(3_000)
  expect(await count('-t', '1h', '--by', 'received_at')).toBe(0)
  expect(await count('--from', '2025-12-08', '--to', '2025-12-08T10:00')).toBe(0)
  expect(await count('--from', '2025-12-08T10:00', '--to', '2025-12-09')).toBe(3_000)
  for (const command of ['replay', 'events']) {
    expect((await run([command, 'orders.eu', '--from', '1h'], system.url)).err).toBe(
      '--from and --to compare the timestamp of an event; --by received_at compares when Sekali received it\n',
    )
  }
  const { code, err } = await run(['replay', 'orders.eu', '--from', 'tomorrow'], system.url)
  expect(code).toBe(2)
  expect(err).toMatch(/^sekali: option '-f, --from <time>' .*'tomorrow'.* It can be 1h, .*yesterday.*\n$/)
})

test('a topic that is not there is named, with those that may have been meant; it is no fault', async () => {
  expect(await run(['events', 'order.eu'], system.url)).toEqual({
    code: 0,
    out: 'no events\n',
    err: 'there is no topic order.eu yet; there is orders.eu\n',
  })
  expect(await run(['replay', 'nothing.here'], system.url)).toEqual({
    code: 0,
    out: '',
    err: 'there is no topic nothing.here yet\n',
  })
  expect((await run(['replay', 'nothing.*'], system.url)).err).toBe('no topic matches nothing.* yet\n')
  // The topic is there, and a program is told nothing.
  expect((await run(['events', 'orders.eu', '--source', 'nobody'], system.url)).err).toBe('')
  expect((await run(['replay', 'nothing.here', '--json'], system.url)).err).toBe('')
})

test('a query that does not fit is refused with 1, and the reason names the parameter', async () => {
  const { code, err } = await run(['replay', 'orders.eu', '--after', 'yesterday'], system.url)
  expect(code).toBe(1)
  expect(err).toMatch(/^sekali: not valid: after must be .*\n$/)
})
