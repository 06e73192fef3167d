/** Subscriptions by the command line: made, worked off, moved, and ended. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownFolder } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from './command.ts'
import { payloadOf, publishNumbered } from './numbered.ts'
import { ownSystem, type System } from './system.ts'

const stack = new AsyncDisposableStack()
let system: System
let folder: string
beforeAll(async () => {
  system = stack.use(await ownSystem())
  folder = stack.use(await ownFolder()).path
})
afterAll(() => stack.disposeAsync())

const sekali = (...args: string[]) => run(args, system.url)
const subscription = (...args: string[]) => sekali('subscription', ...args)
const json = async (...args: string[]) => JSON.parse((await sekali(...args, '--json')).out)

const publish = (topic: string, count: number) => publishNumbered(system.url, topic, count)

test('a subscription is made, shown, changed where it may be, paused, resumed and deleted', async () => {
  await publish('made', 3)
  const made = await subscription('create', 'maker', '--topics', 'made', '--from', 'start', '--lease', '45')
  expect(made).toMatchObject({ code: 0, out: 'maker hands out made\n' })
  const again = ['create', 'maker', '--topics', 'made', '--backoff', '0,5', '--where', '/n=1']
  expect(await subscription(...again)).toMatchObject({
    code: 1,
    err: expect.stringContaining('sekali subscription show maker has it'.replace('maker', 'NAME')),
  })
  await subscription('create', 'maker', '--topics', 'made', '--backoff', '0,5', '--deliveries', '2')
  expect(await json('subscription', 'show', 'maker')).toMatchObject({
    ...{ topics: 'made', order: 'none', state: 'active', lag: 3, lag_is_bound: false, outstanding: 0 },
    ...{ lease_s: 30, backoff_s: [0, 5], deliveries_max: 2 },
  })
  const filtered = ['create', 'filtered', '--topics', 'made', '--from', 'start', '-s', 's', '-s', 't']
  await subscription(...filtered, '--where', '/n=1', '--where', '/n=3', '--where', '/note=a=b')
  expect(await json('subscription', 'show', 'filtered')).toMatchObject({
    filter: { sources: ['s', 't'], payload: { '/n': [1, 3], '/note': ['a=b'] } },
    lag_is_bound: true,
  })
  expect((await subscription('pause', 'maker')).out).toBe('maker is paused\n')
  const [head, , row] = (await subscription('list')).out.split('\n')
  expect(head).toMatch(/^name +topics +state +lag +outstanding +retrying +waiting +dead +oldest unsettled$/)
  expect(row).toMatch(/^maker +made +paused +3 +0 +0 +0 +0 +\d{4}-\S+Z$/)
  expect((await subscription('resume', 'maker')).out).toBe('maker is active\n')
  expect((await subscription('show', 'maker')).out).toMatch(
    /^maker hands out made\n {2}order +none\n {2}lag +3\n/,
  )
  expect(await subscription('delete', 'maker')).toMatchObject({
    code: 2,
    err: 'sekali: nobody can be asked here: say --yes\n',
  })
  expect((await subscription('delete', 'maker', '--yes')).out).toBe('maker is deleted\n')
  expect(await subscription('show', 'maker')).toMatchObject({
    code: 1,
    err: 'sekali: there is no such subscription: sekali subscription list names them\n',
  })
})

test('a command gets each event as it was sent, and how it ends says what comes of it', async () => {
  await publish('worked', 3)
  await subscription('create', 'worker', '--topics', 'worked', '--from', 'start', '--backoff', '0')
  const [events, facts] = [join(folder, 'events'), join(folder, 'facts')]
  const command = [
    `cat >> '${events}'`,
    `echo "$SEKALI_TOPIC $SEKALI_SEQ $SEKALI_EVENT_ID $SEKALI_SOURCE $SEKALI_ATTEMPT" >> '${facts}'`,
    'case "$SEKALI_SEQ.$SEKALI_ATTEMPT" in 2.1) exit 65;; 3.1) exit 3;; esac',
  ].join('; ')
  const done = await subscription('pull', 'worker', '--exec', command, '--count', '4')
  expect(done).toMatchObject({ code: 0, out: '' })
  expect(done.err.trim().split('\n')).toEqual([
    'worked #2 attempt 1: exit code 65, a dead letter',
    'worked #3 attempt 1: exit code 3',
  ])
  expect(await readFile(facts, 'utf8')).toBe(
    'worked 1 e-1 s 1\nworked 2 e-2 s 1\nworked 3 e-3 s 1\nworked 3 e-3 s 2\n',
  )
  const lines = (await readFile(events, 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3, 3])
  expect(lines[2]).toContain(`"payload":${payloadOf(3)}`)
  expect(await json('subscription', 'show', 'worker')).toMatchObject({
    ...{ lag: 0, outstanding: 0, retrying: 0, dead: 1, oldest_unsettled_at: null },
  })
})

test('a command that is not there ends the worker, and costs no event an attempt', async () => {
  await publish('mistyped', 1)
  await subscription('create', 'typist', '--topics', 'mistyped', '--from', 'start', '--deliveries', '1')
  const ended = await subscription('pull', 'typist', '--exec', './no-such-command')
  expect(ended).toMatchObject({ code: 2, err: expect.stringContaining('its events were given back') })
  expect(await json('subscription', 'show', 'typist')).toMatchObject({ lag: 1, outstanding: 0, dead: 0 })
  // For which something is not there, once the command has run, is a failure of that event.
  await publish('mistyped-once', 2)
  await subscription('create', 'once', '--topics', 'mistyped-once', '--from', 'start', '--deliveries', '1')
  const one = 'test "$SEKALI_SEQ" = 1 || ./no-such-command'
  expect(await subscription('pull', 'once', '--exec', one, '--count', '2')).toMatchObject({ code: 0 })
  expect(await json('subscription', 'show', 'once')).toMatchObject({ lag: 0, dead: 1 })
})
