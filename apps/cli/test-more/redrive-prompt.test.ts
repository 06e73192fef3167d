/** Whoever redrives at a terminal is asked for the number, and nothing begins before it is typed. */
import { connectStore } from '@sekali/store/connect'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Command, run, startAtTerminal } from '../test/command.ts'
import { ownSystem, type System } from '../test/system.ts'

const stack = new AsyncDisposableStack()
let system: System
beforeAll(async () => {
  await requireDebian('bsdutils') // it has script
  system = stack.use(await ownSystem())
  await using store = connectStore({ url: system.databaseUrl, poolMax: 1, name: 'test' }, quiet)
  await store.pool.query(
    `ALTER TABLE events ADD CONSTRAINT no_poison CHECK (event_id NOT LIKE 'poison%') NOT VALID`,
  )
  const lines = ['poison-1', 'poison-2', 'poison-3'].map((id) =>
    JSON.stringify({
      topic: 'asked',
      event_id: id,
      timestamp: '2026-01-01T00:00:00Z',
      source: 's',
      payload: {},
    }),
  )
  await run(['publish'], system.url, `${lines.join('\n')}\n`)
  await eventually(async () => {
    const { rows } = await store.pool.query('SELECT FROM dead_letters')
    expect(rows).toHaveLength(3)
  }, 20_000)
  await store.pool.query('ALTER TABLE events DROP CONSTRAINT no_poison')
})
afterAll(() => stack.disposeAsync())

const redrive = () =>
  startAtTerminal(['dead-letter', 'redrive', '--topic', 'asked'], { SEKALI_URL: system.url, TERM: 'xterm' })

const asked = (command: Command) =>
  eventually(() => expect(command.out()).toContain('Type 3 to redrive them: '), 20_000)

const operations = async () => (await run(['operation', 'list'], system.url)).out

test.each([
  ['another number', '33\r', 1, 'nothing is redriven'],
  ['no number', '\r', 1, 'nothing is redriven'],
  ['a number with a word', '3 please\r', 1, 'nothing is redriven'],
  ['Ctrl-C', '\x03', 130, ''],
  ['Ctrl-D', '\x04', 1, 'nothing is redriven'],
])('%s begins nothing', async (_what, typed, code, said) => {
  await using command = redrive()
  await asked(command)
  expect(command.out()).toContain('3 dead letters would be redriven: 3 23514')
  command.child.stdin?.write(typed)
  const ended = await command.ended
  expect(ended.code).toBe(code)
  expect(ended.out).toContain(said)
  expect(await operations()).toBe('no operations\n')
})

test('the number that was counted begins the redrive, and its end is waited for', async () => {
  await using command = redrive()
  await asked(command)
  command.child.stdin?.write('3\r')
  const ended = await command.ended
  expect(ended.code).toBe(0)
  expect(ended.out).toContain('operation 1 (redrive, topic asked) is done: 3 of 3, 3 redriven')
})
