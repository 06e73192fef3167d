import { eventually } from '@sekali/testkit/eventually'
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { ownStack } from '../test/stack.ts'

const counting = `export const count = defineProjection({
  name: 'count', topics: 'orders', initial: [], apply: (ids, { eventId }) => [...ids, eventId],
})`

test('a projection of what a restore took out of the log is folded anew, and says so', async () => {
  await using stack = await ownStack()
  const { store } = stack
  const publish = (life: string, from: number, to: number) =>
    storeEvents(
      store,
      upTo(to, from).map((seq) => event({ eventId: `${life}${seq}` })),
    )
  await publish('x', 1, 20)
  await stack.define('count.ts', counting)
  await using projector = stack.projector('p1')
  await stack.level('count')
  // The log comes back from a backup, and the projections from a younger one.
  await putBack(store, 'orders', 10)
  await beginEpoch(store, 'orders')
  await publish('y', 11, 30)
  const whole = [...upTo(10).map((seq) => `x${seq}`), ...upTo(30, 11).map((seq) => `y${seq}`)]
  await eventually(async () => expect(await stack.states('count')).toEqual({ '': whole }), 30_000)
  expect(await stack.status('count')).toMatchObject({
    status: 'live',
    asOf: { orders: 30 },
    epochs: { orders: 2 },
  })
  expect(await stack.status('count')).not.toHaveProperty('astray')
  expect(projector.output()).toContain('a restore took away what it had folded')
})
