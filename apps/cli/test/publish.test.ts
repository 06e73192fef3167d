import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, start, startShell } from './command.ts'
import { ownSystem, type System } from './system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem()
})
afterAll(() => system[Symbol.asyncDispose]())

interface Stored {
  readonly event_id: string
  readonly source: string
}

const stored = (topic: string, count: number) =>
  eventually(async () => {
    const text = await (await fetch(`${system.url}/events?topic=${topic}&after=0&limit=1000`)).text()
    const events = JSON.parse(text) as Stored[]
    expect(events).toHaveLength(count)
    return { text, events }
  })

const line = (topic: string, n: number, source: unknown = 'till') =>
  JSON.stringify({ topic, event_id: `e${n}`, timestamp: '2025-12-08T10:00:00Z', source, payload: { n } })

test('one event is published as it is written, digit by digit', async () => {
  const payload = '{"order":9007199254740993,"total":12.50}'
  const args = ['publish', 'orders.paid', payload, '--id', 'order-1', '--source', 'desk']
  expect(await run(args, system.url)).toMatchObject({
    code: 0,
    out: 'queued orders.paid order-1\n',
    err: '',
  })
  const { text, events } = await stored('orders.paid', 1)
  expect(text).toContain(payload)
  expect(events).toMatchObject([{ event_id: 'order-1', source: 'desk' }])

  const json = await run(['publish', 'orders.paid', '{}', '--json'], system.url)
  expect(JSON.parse(json.out)).toMatchObject({ topic: 'orders.paid', status: 'queued' })
})

test('whoever waits learns what came of it, and an event can be asked for', async () => {
  const publish = (payload: string) =>
    run(
      ['publish', 'waited', payload, '--id', 'e1', '--timestamp', '2025-12-08T10:00:00Z', '--wait', '10'],
      system.url,
    )
  expect(await publish('{"n":1}')).toMatchObject({ code: 0, out: 'stored waited e1 as seq 1\n' })
  expect(await publish('{"n":1}')).toMatchObject({
    code: 0,
    out: 'duplicate waited e1: it is stored as seq 1\n',
  })
  expect(await publish('{"n":2}')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^sekali: the id is taken by an event with another content \(seq 1\).*\n$/),
  })
  const known = await run(['event', 'waited', 'e1'], system.url)
  expect(known).toMatchObject({ code: 0, out: expect.stringMatching(/\nseq +1\n.*\npayload +\{"n":1\}\n$/s) })
  const json = await run(['event', 'waited', 'e1', '--json'], system.url)
  expect(JSON.parse(json.out)).toMatchObject({ status: 'stored', event: { seq: 1, payload: { n: 1 } } })
  expect(await run(['event', 'waited', 'e2'], system.url)).toMatchObject({
    code: 1,
    out: 'unknown: no such event was accepted\n',
  })
})

test('lines of standard input are published in their order; bad ones are named and end it with 1', async () => {
  const lines = Array.from({ length: 1_000 }, (_, n) => line('many', n))
  lines[2] = line('many', 2, 7)
  lines.splice(10, 1, '', '{"topic":') // line 11 is blank, line 12 is no JSON
  const input = lines.join('\r\n')
  const { code, out, err } = await run(['publish'], system.url, input)
  expect({ code, out }).toEqual({ code: 1, out: '998 events queued, 2 refused\n' })
  expect(err.split('\n')).toEqual([
    expect.stringMatching(/^line 3: source must be a string/),
    'line 12: must be the JSON of one event',
    '',
  ])
  const { events } = await stored('many', 998)
  const ids = events.map(({ event_id }) => event_id)
  expect(ids).toEqual(ids.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))))

  const json = await run(['publish', '--json'], system.url, `${line('one', 1)}\n${line('one', 2, 7)}\n`)
  expect(json.code).toBe(1)
  const issues = [expect.objectContaining({ path: 'source' })]
  expect(JSON.parse(json.out)).toEqual({ queued: 1, refused: 1, refusals: [{ line: 2, issues }] })
})

test('events go out while the input is still open, and Ctrl-C ends that with 130', async () => {
  await using command = start(['publish'], { SEKALI_URL: system.url })
  command.child.stdin?.write(`${line('slow', 1)}\n`)
  await stored('slow', 1)
  command.child.kill('SIGINT')
  expect(await command.ended).toMatchObject({
    code: 130,
    out: '',
    err: 'stopped: 1 event queued; to publish all of them again is safe\n',
  })
})

test.each([
  ['a payload that is no JSON', ['publish', 'orders', '{total: 12}']],
  ['options of one event, and no event', ['publish', '--id', 'order-1']],
])('%s is reported on one line and ends with 2', async (_what, args) => {
  const { code, out, err } = await run(args, system.url)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^sekali: .*\n$/)
})

test('what Sekali refuses ends with 1 and says why', async () => {
  const { code, err } = await run(['publish', 'not a topic', '[]'], system.url)
  expect(code).toBe(1)
  expect(err).toMatch(/^sekali: not valid: topic must be .*; payload must be a JSON object\n$/)
  const json = await run(['publish', 'not a topic', '{}', '--json'], system.url)
  expect(JSON.parse(json.err)).toMatchObject({
    error: { code: 'invalid_event', issues: [{ path: 'topic' }] },
  })
})

test('bytes on standard input are read as the gateway reads a stream of lines', async () => {
  const [before, after] = line('bytes', 1).split('"e1"')
  const withId = (...bytes: number[]) =>
    Buffer.concat([Buffer.from(`${before}"`), Buffer.from(bytes), Buffer.from(`"${after}\r\n`)])
  const input = Buffer.concat([
    Buffer.from('\uFEFF'),
    withId(0x61),
    withId(0xff),
    Buffer.from(' \t\r\n'),
    withId(0xfe),
    Buffer.from(`\uFEFF${line('bytes', 2)}\n`),
    Buffer.from('\u00a0\n'),
    withId(0x62),
  ])
  const { code, out, err } = await run(['publish'], system.url, input)
  expect({ code, out }).toEqual({ code: 1, out: '2 events queued, 4 refused\n' })
  expect(err.split('\n').sort()).toEqual([
    '',
    'line 2: must be UTF-8: it has bytes that are not',
    'line 4: must be UTF-8: it has bytes that are not',
    'line 5: begins with a byte order mark, which only the first line may',
    'line 6: must be the JSON of one event',
  ])
  const { events } = await stored('bytes', 2)
  expect(events.map(({ event_id }) => event_id).sort()).toEqual(['a', 'b'])
})

test('what is refused is named in the order of the lines, whoever refuses it', async () => {
  const input = Buffer.concat([
    Buffer.from(`${line('order', 1, 7)}\n`),
    Buffer.from([0xff, 0x0a]),
    Buffer.from('{}\n'),
  ])
  const { err } = await run(['publish'], system.url, input)
  expect(err.split('\n').map((text) => text.slice(0, 6))).toEqual(['line 1', 'line 2', 'line 3', ''])
  const json = await run(['publish', '--json'], system.url, input)
  expect(JSON.parse(json.out).refusals.map((refusal: { line: number }) => refusal.line)).toEqual([1, 2, 3])
})

test('an id that is not UTF-8 on the command line does not become another one', async () => {
  const publish = `sekali publish bytes.args '{}' --id "$(printf 'a\\377')"`
  await using command = startShell(publish, { SEKALI_URL: system.url })
  expect(await command.ended).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/^sekali: --id must be UTF-8, .*\n$/),
  })
})

test('--lenient ends with 0 if any line was queued', async () => {
  const lenient = (input: string) => run(['publish', '--lenient'], system.url, input)
  expect(await lenient(`${line('lenient', 1)}\n{\n`)).toMatchObject({
    code: 0,
    out: '1 event queued, 1 refused\n',
    err: 'line 2: must be the JSON of one event\n',
  })
  expect(await lenient('{\n{}\n')).toMatchObject({ code: 1, out: '0 events queued, 2 refused\n' })
  expect(await lenient('')).toMatchObject({ code: 0 })
  const one = await run(['publish', 'lenient', '{}', '--lenient'], system.url)
  expect(one).toMatchObject({ code: 2, err: expect.stringContaining('--lenient is for lines') })
})
