/** Files that change, that are wrong, or whose projection meets an event that it cannot fold. */
import { announceProjections } from '@sekali/store/announce-projections'
import { dropProjection } from '@sekali/store/drop-projection'
import { readState } from '@sekali/store/read-states'
import { requestRebuild } from '@sekali/store/request-rebuild'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { numbered, orderly, ownStack } from '../test/stack.ts'

const counting = (name: string, version: number, apply: string) => `
export const projection = defineProjection({
  name: '${name}', version: ${version}, topics: 'orders.>', initial: 0,
  apply: ${apply},
})`

test.concurrent('a projection fails at the event it cannot fold; others go on; a changed file takes its place', async () => {
  await using stack = await ownStack()
  await stack.define('good.ts', counting('good', 1, '(n: number) => n + 1'))
  await stack.define(
    'bad.ts',
    counting('bad', 1, `(n, { seq }) => { if (seq === 31) throw new Error('no') \n return n + 1 }`),
  )
  await stack.define(
    'deep.ts',
    counting('deep', 1, `(n, { seq }) => seq < 5 ? n : JSON.parse('['.repeat(2e5) + ']'.repeat(2e5))`),
  )
  await stack.define('syntax.ts', 'export const = 1')
  await stack.define('enum.ts', 'enum No { Thing }')
  await stack.define('same.ts', counting('good', 9, '(n) => n'))
  await stack.define('wrong.ts', `export const wrong = { name: 'wrong', topics: 'a', initial: 0, apply: 1 }`)
  await stack.define('none.ts', 'export const unrelated = 1')
  await stack.define('endless.ts', 'await new Promise(() => {})')
  await stack.define(
    'later.ts',
    counting('later', 1, `(n) => n`).replace(
      'initial',
      `key: async () => { throw new Error('key') }, initial`,
    ),
  )
  await stack.define(
    'timer.ts',
    `setTimeout(async () => { throw new Error('secret') }, 1); setInterval(() => { throw new Error('secret') }, 50)`,
  )
  await stack.define('loop.ts', counting('loop', 1, '(n, { seq }) => { while (seq === 7); return n + 1 }'))
  await stack.define('exit.ts', counting('exit', 1, '(n, { seq }) => seq === 3 ? process.exit() : n + 1'))
  await stack.append(numbered('orders.eu', 50))
  const ladder = { IMPORT_MS: '2500', STATEMENT_MS: '1500', IDLE_IN_TRANSACTION_MS: '2000' }
  await using projector = stack.projector('projector', ladder)
  await stack.level('good')
  const error = { topic: 'orders.eu', seq: 31, eventId: 'e31', message: 'Error: no' }
  await eventually(async () => {
    expect(await stack.status('bad')).toMatchObject({
      status: 'failed',
      asOf: { 'orders.eu': 30 },
      lag: 20,
      error,
    })
    expect(await stack.status('deep')).toMatchObject({ status: 'failed', error: { seq: 5 } })
    expect(await stack.status('later')).toMatchObject({ status: 'failed', error: { seq: 1 } })
    const blocked = { seq: 7, message: 'the definition gave no answer within 1000 ms' }
    expect(await stack.status('loop')).toMatchObject({ status: 'failed', error: blocked })
    const ended = { seq: 3, message: 'the definition ended its process' }
    expect(await stack.status('exit')).toMatchObject({ status: 'failed', error: ended })
  })
  expect(projector.output()).toContain('a definition left something behind that failed')
  expect(projector.output()).not.toContain('secret')
  expect(await stack.states('bad')).toEqual({ '': 30 })
  for (const [file, remedy] of [
    ['syntax', 'SyntaxError'],
    ['enum', 'enum'],
    ['same', 'give this one another name'],
    ['wrong', 'apply must be a function'],
    ['none', 'export const name = defineProjection'],
    ['endless', 'a definition waits for nothing'],
  ]) {
    expect(projector.output()).toMatch(new RegExp(`${file}\\.ts[^\\n]*${remedy}`))
  }

  await stack.define('wrong.ts', `export const still = { name: 'wrong', topics: 'a', initial: 0, apply: 1 }`)
  // A rebuild of the same definition fails again, at the same event. A changed file is noticed by itself.
  expect(await requestRebuild(stack.store, 'bad', { actor: 'test' })).toBe(true)
  expect(await requestRebuild(stack.store, 'unknown', { actor: 'test' })).toBe(false)
  await stack.append(numbered('orders.eu', 10, 51))
  await eventually(async () =>
    expect(await stack.status('bad')).toMatchObject({ status: 'failed', lag: 30, error }),
  )
  await stack.define('bad.ts', counting('bad', 1, '(n) => n + 1'))
  await stack.level('bad')
  await stack.level('good')
  // What is wrong is said of each text of a file, also when it is the same again.
  expect(projector.output().match(/wrong\.ts[^\n]*apply must be a function/g)).toHaveLength(2)
  expect({ ...(await stack.states('bad')), ...(await stack.states('good')) }).toEqual({ '': 60 })
  await eventually(async () => {
    const { rows } = await stack.store.pool.query(`SELECT FROM projections.generations WHERE name = 'bad'`)
    expect(rows).toHaveLength(1)
  })

  // One whose file is gone is orphaned after a while, and only such a one can be dropped. It may come back.
  await stack.remove('bad.ts')
  expect(await dropProjection(stack.store, 'bad', { actor: 'test' })).toBe('folded')
  await eventually(async () => {
    await stack.store.pool.query(
      `UPDATE projections.announcements SET announced_at = now() - interval '61 s'`,
    )
    expect(await stack.status('bad')).toMatchObject({ status: 'orphaned' })
    expect(await dropProjection(stack.store, 'bad', { actor: 'test' })).toBe('dropped')
  })
  expect(await dropProjection(stack.store, 'bad', { actor: 'test' })).toBe('unknown')
  expect(await stack.status('bad')).toBeUndefined()
  expect(await stack.status('good')).toMatchObject({ status: 'orphaned' })
  expect(await announceProjections(stack.store, ['good', 'bad'])).toEqual(['bad'])
  await stack.level('good')
  await stack.define('bad.ts', counting('bad', 1, '(n) => n + 2'))
  await stack.level('bad')
})

test.concurrent('whoever reads while versions are built and swapped sees each state with its checkpoint, and no step back', async () => {
  await using stack = await ownStack()
  await stack.define('orderly.ts', orderly(1, ''))
  await using _one = stack.projector('one')
  await using _two = stack.projector('two')
  await stack.append(numbered('orders.eu', 2_000))
  await stack.level('orderly')

  const reading = new AbortController()
  const reads = (async () => {
    let count = 0
    for (let last = 2_000; !reading.signal.aborted; count++) {
      const { state, asOf } = (await readState(stack.store, 'orderly', '')) ?? {}
      const seq = asOf?.['orders.eu'] ?? 0
      expect(JSON.parse(state ?? '')).toEqual({
        count: seq,
        sum: (seq * (seq + 1)) / 2,
        last: { 'orders.eu': seq },
      })
      expect(seq).toBeGreaterThanOrEqual(last)
      last = seq
    }
    return count
  })()
  let next = 2_001
  for (let version = 2; version <= 3; version++) {
    await stack.define('orderly.ts', orderly(version, ''))
    await eventually(async () => {
      await stack.append(numbered('orders.eu', 20, next))
      next += 20
      expect(await stack.status('orderly')).toMatchObject({ version })
    })
  }
  reading.abort()
  expect(await reads).toBeGreaterThan(20)
  await stack.level('orderly', 3)
})

test.concurrent('what was built takes the place of the live one only with all that the live one has', async () => {
  await using stack = await ownStack()
  await stack.define('orderly.ts', orderly(1, ''))
  await stack.define('probe.ts', counting('probe', 1, '(n) => n + 1'))
  await stack.append(numbered('orders.eu', 10))
  {
    await using _first = stack.projector('first')
    await stack.level('orderly')
    await stack.level('probe')
  }
  await requestRebuild(stack.store, 'orderly', { actor: 'test' })
  const patient = { PROJECTOR_FAILPOINT: 'read:1:SIGSTOP', IDLE_IN_TRANSACTION_MS: '60000' }
  await using builder = stack.projector('builder', patient)
  await eventually(() => expect(builder.output()).toContain('failpoint'))
  await using _other = stack.projector('other')
  await stack.append(numbered('orders.eu', 10, 11))

  let last = 10
  const look = async () => {
    const seq = (await readState(stack.store, 'orderly', ''))?.asOf?.['orders.eu'] ?? 0
    expect(seq).toBeGreaterThanOrEqual(last)
    last = seq
  }
  // What the other one folds, it could fold into the live one as well, which the builder would not have: it must not.
  await eventually(
    async () => expect((await stack.status('probe'))?.asOf).toEqual({ 'orders.eu': 20 }),
    30_000,
  )
  await look()
  await eventually(async () => {
    builder.signal('SIGCONT') // it stops at each read
    await look()
    expect(await stack.status('orderly')).toMatchObject({ status: 'live', lag: 0 })
  })
})

test.concurrent('a definition that is slow is imported at another try, and folded in batches that it has time for', async () => {
  await using stack = await ownStack()
  const slow = `
import { existsSync } from 'node:fs'
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
const go = import.meta.dirname + '/go'
while (!existsSync(go)) await sleep(20)
await sleep(1_300)
let atOnce = 0
const work = () => {
  if (atOnce++ === 0) setImmediate(() => (atOnce = 0))
  for (const until = performance.now() + 6; performance.now() < until || atOnce > 40; );
}
${counting('slow', 1, '(n) => { work(); return n + 1 }')}`
  await stack.define('slow.ts', slow)
  const ladder = { IMPORT_MS: '2000', STATEMENT_MS: '1000', IDLE_IN_TRANSACTION_MS: '1200' }
  await using projector = stack.projector('projector', ladder)
  await eventually(() => expect(projector.output()).toContain('it is not ready after 2000 ms'))
  await stack.define('go', '')
  await stack.level('slow')
  await stack.remove('go')
  await stack.append(numbered('orders.eu', 352))
  // Of the first 64 at once it makes no end, and the process ends. The file is imported anew, and late again.
  const failures = () => projector.output().match(/turn failed, will be tried again/g)?.length
  await eventually(() => expect(failures()).toBe(2))
  await stack.define('go', '')
  await eventually(async () => {
    expect(await stack.status('slow')).toMatchObject({ status: 'live', lag: 0 })
  }, 40_000)
  expect(await stack.states('slow')).toEqual({ '': 352 })
  // The third import takes 1,300 ms, while no transaction waits, to which PostgreSQL gives 1,200. Then come those 16
  // one by one at which it got stuck, and 32 at a time: half as many as at first, for having been slow once and not for
  // the imports. That is 27 turns, and would be 37.
  expect(projector.output()).toMatch(/gave no answer within 600 ms/)
  const { rows } = await stack.store.pool.query('SELECT revision::int FROM projections.generations')
  expect(rows[0].revision).toBeLessThan(35)
})
