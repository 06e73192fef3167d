import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProgram } from '../src/program.ts'
import { createForce } from '../src/terminal/force.ts'
import { run, start, startShell } from '../test/command.ts'
import { ownSystem, type System } from '../test/system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem()
  await run(['publish', 'orders.paid', '{}', '--id', 'order-1'], system.url)
  await run(['publish', 'orders.paid', '{}', '--id', 'order-2'], system.url)
  await eventually(async () => expect((await run(['stats'], system.url)).out).toMatch(/total +2 +2/))
})
afterAll(() => system[Symbol.asyncDispose]())

const nowhere = 'http://127.0.0.1:1'

test('stats and topics are tables for people and JSON for programs', async () => {
  const stats = await run(['stats'], system.url)
  expect(stats.code).toBe(0)
  expect(stats.out).toMatch(/^topic +accepted +stored +duplicates/)
  expect(stats.out).toMatch(/\norders\.paid +2 +2 +0 +0 +0 +0 +0\n/)
  expect(stats.out).toContain('1 consumer')
  expect(stats.out).not.toContain('\u001b')
  const json = JSON.parse((await run(['stats', '--json'], system.url)).out)
  expect(json.totals).toMatchObject({ accepted: 2, stored: 2 })
  expect((await run(['topics'], system.url)).out).toMatch(/^topic +events +in flight\norders\.paid +2 +0\n$/)
  expect(JSON.parse((await run(['topics', '--json'], system.url)).out)).toMatchObject({ head_seq: 2 })
  expect((await run(['topics', 'orders.*', '--json'], system.url)).out).toContain('"orders.paid"')
  expect((await run(['topics', 'others.>', '--json'], system.url)).out).toBe('')
  // The total is over all topics, whichever are shown.
  const others = await run(['stats', 'others.>'], system.url)
  expect(others).toMatchObject({ code: 0, err: 'no topic matches others.> yet\n' })
  expect(others.out).toMatch(/^topic .*\nall topics +2 +2/)
  expect((await run(['topics', 'order.paid'], system.url)).err).toBe(
    'there is no topic order.paid yet; there is orders.paid\n',
  )
})

test('stats --watch goes on until Ctrl-C, which ends it with 130 and without a word', async () => {
  await using watch = start(['stats', '--watch', '--json'], { SEKALI_URL: system.url })
  await eventually(() => expect(watch.out().match(/\n/g)?.length).toBeGreaterThan(1))
  watch.child.kill('SIGINT')
  expect(await watch.ended).toMatchObject({ code: 130, err: '' })
})

test('a reader that has read enough ends it, which is no fault', async () => {
  await using pipe = startShell('sekali stats --watch --json | head -n 1', { SEKALI_URL: system.url })
  const { code, out, err } = await pipe.ended
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(JSON.parse(out)).toHaveProperty('totals')
})

test('doctor finds a system well, and the findings are there for programs', async () => {
  const { code, out } = await run(['doctor', '--verbose'], system.url)
  expect(code).toBe(0)
  expect(out).toMatch(/✓ redis\.appendfsync {2}always\n/)
  expect(out).toMatch(/all well: \d+ checks\n$/)
  const { status, findings } = JSON.parse((await run(['doctor', '--json'], system.url)).out)
  expect(status).toBe('ok')
  expect(findings).toContainEqual({ check: 'postgres.fsync', level: 'ok', message: 'on' })
})

test('another server at that address is not taken for Sekali', async () => {
  const other = createServer((_, response) => response.end('<h1>It works!</h1>')).listen(0, '127.0.0.1')
  try {
    await eventually(() => expect(other.listening).toBe(true))
    const { code, err } = await run(['stats'], `http://127.0.0.1:${(other.address() as AddressInfo).port}`)
    expect(code).toBe(3)
    expect(err).toMatch(/^sekali: what listens at .* is not Sekali; .*\n$/)
  } finally {
    other.close()
    other.closeAllConnections()
  }
})

test.each([
  [['stat'], /unknown command 'stat' \(Did you mean one of start, stats\?\)/],
  [['stats', '--url', 'localhost:8080'], /must begin with http/],
  [['replay', 'orders', '--order', 'up'], /asc, desc/],
  [['replay', 'orders', '--from', '1h', '--to', '2h'], /--from must be before --to/],
  [['events', '-f', '2025-12-08T11:00', '-t', '2025-12-08T12:00+02:00'], /--from must be before --to/],
  [['event', 'small.*', 'e-1'], /an event is of one topic, not of a pattern; .*sekali events 'small\.\*'/],
  [['publish', 'orders.eu'], /the PAYLOAD is missing; .*sekali publish < FILE, without a TOPIC/],
  [['publish', 'bad.ndjson'], /the PAYLOAD is missing; .*sekali publish < FILE, without a TOPIC/],
])('a command line like %j is reported on one line and ends with 2', async (args, said) => {
  const { code, out, err } = await run(args, nowhere)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^sekali: .*\n$/)
  expect(err).toMatch(said)
  const json = await run([...args, '--json'], nowhere)
  expect(json.code).toBe(2)
  expect(JSON.parse(json.err)).toEqual({ error: { code: 'usage', message: expect.stringMatching(said) } })
})

test('a path that the URL has and the gateway does not know is named', async () => {
  expect(await run(['stats'], `${system.url}/foo/`)).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /^sekali: the gateway knows nothing under \/foo\/: leave the path out of the URL\n$/,
    ),
  })
})

test('a topic that cannot be dropped is refused in a sentence', async () => {
  const drop = async (topic: string) => await run(['topic', 'drop', topic], system.url)
  expect(await drop('nope')).toMatchObject({
    code: 1,
    err: 'sekali: there is no such topic: sekali topics lists them\n',
  })
  expect(await drop('orders.paid')).toMatchObject({
    code: 1,
    err: 'sekali: the topic has events, or some are on their way, or it has dead letters: it stays\n',
  })
})

test('every command teaches by example', async () => {
  expect((await run(['--help'], nowhere)).out).toMatch(/Exit codes:\n {2}0 +done/)
  const never = () => Promise.reject(new Error('help is not an answer'))
  const out = { write: never, line: never, watch: () => new DisposableStack() }
  const program = createProgram({ out, signal: AbortSignal.abort(), force: createForce(() => undefined) })
  expect(program.commands.length).toBeGreaterThan(8)
  for (const command of program.commands) {
    let text = ''
    command.configureOutput({
      writeOut: (more) => {
        text += more
      },
    })
    command.outputHelp()
    expect(text).toMatch(/Examples?:\n {2}\$ sekali /)
  }
})

test('what holds for a topic is shown and said', async () => {
  const settings = async (...args: string[]) => await run(['topic', 'settings', 'carts', ...args], system.url)
  expect(await settings()).toMatchObject({
    code: 0,
    out: 'carts: payloads of one id are compared byte for byte\n',
  })
  expect(await settings('--same-content', 'json')).toMatchObject({
    code: 0,
    out: 'carts: payloads of one id are compared by what their JSON means\n',
  })
  expect(JSON.parse((await settings('--json')).out)).toEqual({ topic: 'carts', same_content: 'json' })
  const wait = ['--wait', '10']
  const publish = async (payload: string) =>
    await run(['publish', 'carts', payload, '--id', 'c', ...wait], system.url)
  expect((await publish('{"a":1,"b":2}')).out).toContain('as seq 1')
  expect((await publish('{"b":2,"a":1.0}')).out).toMatch(
    /it is stored as seq 1, with another timestamp and its payload written in another way\n$/,
  )
  expect(await settings('--same-content', 'text')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^sekali: .*bytes, json.*\n$/),
  })
  expect(await run(['topic', 'settings', 'no topic'], system.url)).toMatchObject({ code: 1 })
})

// The last one here: the log has another epoch from then on.
test('that PostgreSQL was put back is said once it was counted, or with --yes', async () => {
  const dry = await run(['restored', '--dry-run'], system.url)
  expect(dry).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^\d+ topics? with \d+ events, the newest stored at \S+Z\nin \d+ topics? something was stored since PostgreSQL started at \S+Z: if .* say --at/,
    ),
  })
  expect(await run(['restored', '--dry-run', '--at', '1h'], system.url)).toMatchObject({
    out: expect.not.stringContaining('--at'),
  })
  const { topics } = JSON.parse((await run(['restored', '--dry-run', '--json'], system.url)).out)
  expect(await run(['restored'], system.url)).toMatchObject({
    code: 2,
    err: expect.stringContaining('--yes'),
  })
  expect(await run(['restored', '--at', 'soon'], system.url)).toMatchObject({ code: 2 })
  // Events were stored since PostgreSQL started: an epoch that forks behind them would tell nobody of them.
  expect(await run(['restored', '--yes'], system.url)).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(
      /something was stored since PostgreSQL started at .*say --at.*\nno epoch has begun/s,
    ),
  })
  expect((await run(['audit'], system.url)).out).not.toContain('epochs_begun')
  const begun = await run(['restored', '--yes', '--at', '1h', '--json'], system.url)
  expect(JSON.parse(begun.out)).toEqual({ epoch: expect.any(Number), topics })
  expect((await run(['restored', '--yes', '--at', '1h'], system.url)).out).toMatch(
    /^epoch \d+ of \d+ topics? has begun\n$/,
  )
  expect((await run(['audit'], system.url)).out).toContain('epochs_begun')
})
