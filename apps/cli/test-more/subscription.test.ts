/** A worker at a terminal, or under a supervisor: what runs is drained, or ended and given back. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@sekali/testkit/eventually'
import { ownFolder } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Command, run, start } from '../test/command.ts'
import { ownSystem, type System } from '../test/system.ts'

const stack = new AsyncDisposableStack()
let system: System
let folder: string
beforeAll(async () => {
  system = stack.use(await ownSystem())
  folder = stack.use(await ownFolder()).path
})
afterAll(() => stack.disposeAsync())

const show = async (name: string) =>
  JSON.parse((await run(['subscription', 'show', name, '--json'], system.url)).out)

async function subscribe(name: string, events: number, ...more: string[]): Promise<void> {
  const event = (n: number) => ({
    ...{ topic: name, event_id: `e-${n}`, timestamp: '2026-01-01T00:00:00Z', source: 's', payload: { n } },
  })
  const lines = Array.from({ length: events }, (_, n) => JSON.stringify(event(n + 1)))
  await run(['publish'], system.url, lines.join('\n'))
  await run(['subscription', 'create', name, '--topics', name, '--from', 'start', ...more], system.url)
}

/** Works until the file `open` is there; it writes what has begun, and what has ended. */
function worker(name: string, ...more: string[]): Command {
  const file = (what: string) => join(folder, `${name}.${what}`)
  const command = [
    `echo "$SEKALI_SEQ $SEKALI_ATTEMPT" >> '${file('begun')}'`,
    `until test -e '${file('open')}'; do sleep 0.05; done`,
    `echo "$SEKALI_SEQ" >> '${file('ended')}'`,
  ].join('; ')
  return start(['subscription', 'pull', name, '--exec', command, ...more], { SEKALI_URL: system.url })
}

const lines = async (name: string, what: string): Promise<string[]> => {
  const text = await readFile(join(folder, `${name}.${what}`), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).sort()
}
const open = (name: string) => writeFile(join(folder, `${name}.open`), '')

test.each(['SIGINT', 'SIGTERM'] as const)(
  'after %s what runs ends, and nothing else begins',
  async (signal) => {
    const name = `drained-${signal.toLowerCase()}`
    await subscribe(name, 5)
    await using command = worker(name, '--concurrency', '2')
    await eventually(async () => expect(await lines(name, 'begun')).toEqual(['1 1', '2 1']), 20_000)
    command.child.kill(signal)
    await eventually(async () => expect((await show(name)).outstanding).toBe(2), 20_000)
    await open(name)
    expect(await command.ended).toMatchObject({ code: 0, err: '' })
    expect(await lines(name, 'ended')).toEqual(['1', '2'])
    expect(await show(name)).toMatchObject({ lag: 3, outstanding: 0, retrying: 0 })
  },
)

test('a second Ctrl-C ends what runs and gives its events back, without an attempt', async () => {
  await subscribe('forced', 3)
  await using command = worker('forced', '--concurrency', '2')
  await eventually(async () => expect(await lines('forced', 'begun')).toEqual(['1 1', '2 1']), 20_000)
  command.child.kill('SIGINT')
  const pressed = performance.now()
  // One Ctrl-C can arrive twice, so what comes within half a second is the same one.
  await eventually(() => expect(performance.now() - pressed).toBeGreaterThan(1_000), 20_000)
  command.child.kill('SIGINT')
  expect((await command.ended).code).toBe(130)
  // What is given back is handed out again, as what is retried.
  expect(await show('forced')).toMatchObject({ lag: 3, outstanding: 0, retrying: 2 })
  await open('forced')
  await using again = worker('forced', '--count', '3')
  expect((await again.ended).code).toBe(0)
  expect(await lines('forced', 'begun')).toEqual(['1 1', '1 1', '2 1', '2 1', '3 1'])
  expect(await lines('forced', 'ended')).toEqual(['1', '2', '3'])
})

test('a command may take longer than a lease, and the event comes to nobody else meanwhile', async () => {
  await subscribe('long', 1, '--lease', '1')
  await using first = worker('long')
  await eventually(async () => expect(await lines('long', 'begun')).toEqual(['1 1']), 20_000)
  const held = performance.now()
  await using second = worker('long')
  // Three leases are over.
  await eventually(() => expect(performance.now() - held).toBeGreaterThan(3_000), 20_000)
  expect(await lines('long', 'begun')).toEqual(['1 1'])
  await open('long')
  await eventually(async () => expect(await show('long')).toMatchObject({ lag: 0, outstanding: 0 }), 20_000)
  for (const command of [first, second]) {
    command.child.kill('SIGTERM')
    expect((await command.ended).code).toBe(0)
  }
  expect(await lines('long', 'ended')).toEqual(['1'])
})

test('a worker that stood still beyond its lease ends its command, and changes nothing any more', async () => {
  await subscribe('stopped', 1, '--lease', '1', '--backoff', '0')
  await using first = worker('stopped')
  await eventually(async () => expect(await lines('stopped', 'begun')).toEqual(['1 1']), 20_000)
  first.child.kill('SIGSTOP')
  await using second = worker('stopped')
  await eventually(async () => expect(await lines('stopped', 'begun')).toEqual(['1 1', '1 2']), 20_000)
  first.child.kill('SIGCONT')
  await eventually(() => expect(first.err()).toContain('another worker may have it'), 20_000)
  expect(await show('stopped')).toMatchObject({ lag: 1, outstanding: 1 })
  await open('stopped')
  await eventually(async () => expect(await show('stopped')).toMatchObject({ lag: 0 }), 20_000)
  for (const command of [first, second]) {
    command.child.kill('SIGTERM')
    expect((await command.ended).code).toBe(0)
  }
  // The command of the first one was ended before it came to its end.
  expect(await lines('stopped', 'ended')).toEqual(['1'])
})
