/** Whatever is killed, each event counts once: the states are the fold of the log from its beginning. */
import { defineProjection, type Projection } from '@sekali/projection/define'
import { requestRebuild } from '@sekali/store/request-rebuild'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { numbered, orderly, ownStack } from '../test/stack.ts'

/** Six projectors start at the same time here, with two threads each. */
const startMs = 30_000

const topics = ['orders.eu', 'orders.us']

// The same that the projectors read from a file.
const load = (text: string): Projection =>
  new Function('defineProjection', text.replace('export const orderly =', 'return'))(defineProjection)

test.concurrent('projectors killed before, in and after their writes and swaps, while events come: the states are exact [P2] [P4] [P5] [P9]', async () => {
  await using stack = await ownStack()
  await stack.define('orderly.ts', orderly())
  await stack.append(numbered('orders.eu', 100))
  const points = ['read', 'written', 'swapped', 'committed']
  await using victims = new AsyncDisposableStack()
  const killed = points.map((point) =>
    victims.use(stack.projector(point, { PROJECTOR_FAILPOINT: `${point}:0.5`, TURN_EVENTS_MAX: '50' })),
  )
  await using _steady = stack.projector('steady', { TURN_EVENTS_MAX: '50' })

  let next = 101
  let dead = 0
  for (const victim of killed) void victim.exited.then(() => dead++)
  while (dead < killed.length) {
    expect(next, 'the victims live on').toBeLessThan(5_000)
    for (const topic of topics) await stack.append(numbered(topic, 60, next))
    next += 60
    await requestRebuild(stack.store, 'orderly', { actor: 'test' })
    for (const topic of topics) await stack.append(numbered(topic, 10, next))
    next += 10
    await eventually(
      async () => expect(await stack.status('orderly')).toMatchObject({ status: 'live' }),
      startMs,
    )
  }
  expect(await Promise.all(killed.map(({ exited }) => exited))).toEqual(points.map(() => 'SIGKILL'))
  const { asOf } = (await stack.level('orderly')) ?? {}
  expect(asOf ?? {}).toEqual({ 'orders.eu': next - 1, 'orders.us': next - 101 })
  expect(await stack.states('orderly')).toEqual(await stack.fromZero(load(orderly()), topics))
  await eventually(async () => {
    const { rows } = await stack.store.pool.query('SELECT stage FROM projections.generations')
    expect(rows, 'old generations are deleted').toEqual([{ stage: 'live' }])
  })
})

test.concurrent('a projector that is paused in its turn loses it, and writes nothing when it wakes [P4]', async () => {
  await using stack = await ownStack()
  await stack.define('orderly.ts', orderly(1, ''))
  await stack.append(numbered('orders.eu', 50))
  const ladder = { STATEMENT_MS: '500', IDLE_IN_TRANSACTION_MS: '1000' }
  await using sleeper = stack.projector('sleeper', { ...ladder, PROJECTOR_FAILPOINT: 'folded:1:SIGSTOP' })
  await eventually(() => expect(sleeper.output()).toContain('failpoint'), startMs)
  await using _heir = stack.projector('heir')
  await stack.level('orderly')
  sleeper.signal('SIGCONT')
  await eventually(() => expect(sleeper.output()).toContain('turn failed'))
  expect(sleeper.output()).toContain('"code":"turn_failed","message":"turn of orderly failed"')
  await stack.append(numbered('orders.eu', 50, 51))
  await stack.level('orderly')
  expect(await stack.states('orderly')).toEqual({
    '': { count: 100, sum: 5_050, last: { 'orders.eu': 100 } },
  })
})

test.concurrent('a commit that takes its time is waited for, and what others commit meanwhile is folded [P5]', async () => {
  await using stack = await ownStack()
  await stack.define('orderly.ts', orderly(1, ''))
  await using _projector = stack.projector('projector')
  await stack.level('orderly')
  const begun = Promise.withResolvers<void>()
  const commit = Promise.withResolvers<void>()
  const slow = stack.append(numbered('orders.eu', 10), async () => {
    begun.resolve()
    await commit.promise
  })
  await begun.promise
  const behindIt = stack.append(numbered('orders.eu', 10, 11))
  await stack.append(numbered('orders.us', 10))
  await eventually(async () => expect((await stack.states('orderly'))['']).toMatchObject({ count: 10 }))
  commit.resolve()
  await Promise.all([slow, behindIt])
  await stack.level('orderly')
  expect(await stack.states('orderly')).toEqual({
    '': { count: 30, sum: 210 + 55, last: { 'orders.eu': 20, 'orders.us': 10 } },
  })
})
