import { requestRebuild } from '@sekali/store/request-rebuild'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { counting, numbered, ownStack } from './stack.ts'

test('a rebuild over rows that somebody has deleted fails there, once and in words, and the live state stays', async () => {
  await using stack = await ownStack()
  await stack.define('all.ts', counting('all', '(count) => count + 1'))
  await stack.append(numbered('orders.eu', 20))
  await stack.append(numbered('orders.us', 20))
  await using projector = stack.projector('p1')
  await stack.level('all')
  await stack.store.pool.query(
    "DELETE FROM events WHERE seq IN (7, 8) AND topic_id = (SELECT id FROM topics WHERE name = 'orders.us')",
  )
  await requestRebuild(stack.store, 'all', { actor: 'test' })
  await eventually(async () => {
    expect(await stack.status('all')).toMatchObject({
      rebuild: {
        status: 'failed',
        error: { topic: 'orders.us', seq: 7, message: expect.stringContaining('has no event 7') },
      },
    })
  })
  expect(await stack.states('all')).toEqual({ '': 40 })
  expect(projector.output().match(/projection failed/g)).toHaveLength(1)
  expect(projector.output()).not.toContain('turn failed')
})
