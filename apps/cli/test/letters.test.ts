/** Dead letters by the command line, as PostgreSQL makes them: a constraint refuses what begins with `poison`. */
import { createClient } from '@sekali/client'
import { connectStore, type Store } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { upTo } from '@sekali/testkit/sample'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, start } from './command.ts'
import { ownSystem, type System } from './system.ts'

const stack = new AsyncDisposableStack()
let system: System
let store: Store
beforeAll(async () => {
  system = stack.use(await ownSystem())
  store = stack.use(connectStore({ url: system.databaseUrl, poolMax: 1, name: 'test' }, quiet))
})
afterAll(() => stack.disposeAsync())

const sekali = (...args: string[]) => run(args, system.url)
const json = async (...args: string[]) => JSON.parse((await sekali(...args, '--json')).out)
const lines = async (...args: string[]) => (await sekali(...args)).out.trimEnd().split('\n')

const publish = (topic: string, id: string, payload: string) =>
  sekali('publish', topic, payload, '--id', id, '--wait', '10')

const refusing = () =>
  store.pool.query(
    `ALTER TABLE events ADD CONSTRAINT no_poison CHECK (event_id NOT LIKE 'poison%') NOT VALID`,
  )
const accepting = () => store.pool.query('ALTER TABLE events DROP CONSTRAINT no_poison')

/** Publishes what is refused, and mends the cause afterwards. */
async function poison(topic: string, ids: readonly string[]): Promise<void> {
  await refusing()
  for (const id of ids) await publish(topic, id, '{"n":9007199254740993}')
  await accepting()
}

test('a poison event is found, shown as it was sent, and redriven once its cause is mended', async () => {
  await poison('poisoned', ['poison-1', 'poison-2'])
  const [head, ...rows] = await lines('dead-letter', 'list', '--topic', 'poisoned')
  expect(head).toMatch(/^id +received +topic +event id +reason +state$/)
  expect(rows).toEqual([
    expect.stringMatching(/^e-2 +\S+Z +poisoned +poison-2 +23514 +open$/),
    expect.stringMatching(/^e-1 +\S+Z +poisoned +poison-1 +23514 +open$/),
  ])
  expect((await sekali('dead-letter', 'show', 'e-1')).out).toContain('"payload":{"n":9007199254740993}')
  expect((await lines('stats')).at(-1)).toMatch(/^1 consumer · 2 dead letters are open$/)
  const dry = await sekali('dead-letter', 'redrive', '--topic', 'poisoned', '--dry-run')
  expect(dry.out).toBe('2 dead letters would be redriven: 2 23514\n')
  const other = await sekali('dead-letter', 'redrive', '--topic', 'poisoned', '--expect', '3')
  expect(other).toMatchObject({ code: 1, err: '2 dead letters match, and not 3: nothing is redriven\n' })
  const done = await sekali('dead-letter', 'redrive', '--topic', 'poisoned', '--expect', '2')
  expect(done).toMatchObject({
    code: 0,
    out: 'operation 1 (redrive, topic poisoned) is done: 2 of 2, 2 redriven\n',
    err: expect.stringMatching(/^redrive: 2 of 2 after \d+\.\d s\n$/),
  })
  await eventually(async () => {
    expect((await sekali('events', 'poisoned')).out).toMatch(/#2 .*\n.*#1 /)
  }, 10_000)
  expect(await lines('dead-letter', 'list', '--topic', 'poisoned')).toEqual(['no dead letters'])
  expect(await lines('dead-letter', 'list', '--topic', 'poisoned', '--state', 'redriven')).toHaveLength(3)
  // Redis may take its time to say how much is in flight: what is not known is null.
  await eventually(async () => {
    const stats = await json('stats', 'poisoned')
    expect(stats.topics[0]).toMatchObject({ accepted: 4, stored: 2, dead: 2, in_flight: 0 })
  }, 10_000)
})

test('nobody can be asked in a pipe, and without a match nothing begins', async () => {
  const asked = await sekali('dead-letter', 'redrive', '--topic', 'nothing')
  expect(asked).toMatchObject({ code: 2, out: '' })
  expect(asked.err).toContain('say --expect N, or --yes; --dry-run counts')
  const none = await sekali('dead-letter', 'redrive', '--topic', 'nothing', '--yes')
  expect(none).toMatchObject({ code: 0, out: 'no dead letter matches: nothing is redriven\n' })
  const conflict = await sekali('dead-letter', 'redrive', 'c-1', '--yes')
  expect(conflict).toMatchObject({ code: 1, err: expect.stringContaining('a conflict cannot be redriven') })
})

test('a conflict is compared, published under another id, and not discarded after that', async () => {
  await publish('compared', 'order-1', '{"n":12.50,"a":1}')
  await publish('compared', 'order-1', '{"a":1,"n":12.5}')
  const [letter] = (await sekali('dead-letter', 'list', '--topic', 'compared', '--json')).out
    .trim()
    .split('\n')
  const { id } = JSON.parse(letter ?? '')
  const compared = await lines('dead-letter', 'compare', id)
  expect(compared[0]).toBe(`${id}  compared  order-1  the log has it as seq 1`)
  expect(compared.slice(-3)).toEqual([
    'payload      is the same as JSON, and written in another way',
    '  stored     {"n":12.50,"a":1}',
    '  received   {"a":1,"n":12.5}',
  ])
  expect((await sekali('dead-letter', 'publish-as', id, 'order-1b')).out).toBe(
    `${id} is published as order-1b\n`,
  )
  await eventually(async () => {
    expect((await sekali('events', 'compared')).out).toContain('{"a":1,"n":12.5}')
  }, 10_000)
  const late = await sekali('dead-letter', 'discard', id, '--reason', 'late')
  expect(late).toMatchObject({ code: 1, err: expect.stringContaining('somebody has dealt with it already') })
})

test('a letter is discarded with a reason', async () => {
  await poison('discarded', ['poison-d'])
  const { id } = await json('dead-letter', 'list', '--topic', 'discarded')
  expect((await sekali('dead-letter', 'discard', id, '--reason', 'a test')).out).toBe(`${id} is discarded\n`)
  expect((await sekali('dead-letter', 'show', id)).out).toMatch(
    /settled +\{"became":"discarded",.*"reason":"a test"\}/,
  )
})

test('an operation is watched, and cancelled while somebody watches', async () => {
  // At one a second more than the commands below take on a busy machine; published at once, and not each by a command.
  const about = { topic: 'slow', timestamp: '2025-12-08T10:00:00Z', source: 'test', payload: {} }
  const events = upTo(30).map((n) => ({ ...about, event_id: `poison-${n}` }))
  await refusing()
  await createClient({ baseUrl: system.url }).publishBatch(events, { waitSeconds: 10 })
  await accepting()
  const begun = await sekali('dead-letter', 'redrive', '--topic', 'slow', '--yes', '--rate', '1', '--no-wait')
  const [, id = ''] = /^operation (\d+) has begun/.exec(begun.out) ?? []
  await using watching = start(['operation', 'watch', id], { SEKALI_URL: system.url })
  await eventually(async () => expect((await json('operation', 'show', id)).done).toBeGreaterThan(0), 10_000)
  expect((await sekali('operation', 'list')).out).toMatch(
    new RegExp(`\\n${id} +redrive topic slow +running +\\d+ +30 `),
  )
  expect((await sekali('operation', 'cancel', id)).out).toMatch(/is cancelled: \d+ of 30, \d+ redriven\n$/)
  expect(await watching.ended).toMatchObject({
    code: 1,
    out: expect.stringMatching(/is cancelled: \d+ of 30/),
  })
  expect((await sekali('operation', 'show', '99')).err).toContain('sekali operation list names them')
})
