import { connectBroker } from '@sekali/broker/connect'
import { raiseFence } from '@sekali/broker/fence'
import { freePort } from '@sekali/servers/free-port'
import { OldPrimary } from '@sekali/store/errors'
import { readLineage } from '@sekali/store/lineage'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { expect, inject, test } from 'vitest'
import { requireNewest } from '../src/operate/lineage.ts'
import { ownStack } from './stack.ts'

test('a projector leaves an old primary, and says why; where Redis is away it goes on', async () => {
  await using stack = await ownStack()
  await using broker = await ownBroker(inject('redisUrl'), stack.env.REDIS_PREFIX)
  const lineage = await readLineage(stack.store)
  if (lineage === undefined) throw new Error('no primary')
  await requireNewest(broker, stack.store)
  await raiseFence(broker, { ...lineage, timeline: lineage.timeline + 1 })
  let left = ''
  const leave = (said: string) => {
    left = said
  }
  const leaving = { ...stack.store, leave }
  await expect(requireNewest(broker, leaving)).rejects.toThrow(OldPrimary)
  expect(left).toBe('an old primary')

  await using projector = stack.projector('p1')
  await eventually(() => expect(projector.output()).toContain('PostgreSQL is an old primary'))

  // A connection that is cut comes back, so nobody may listen there.
  const nowhere = {
    url: `redis://127.0.0.1:${await freePort()}`,
    prefix: stack.env.REDIS_PREFIX,
    name: 'test',
  }
  await using away = connectBroker({ ...nowhere, callMs: 500 }, quiet)
  await using store = await ownStore()
  await requireNewest(away, store)
})
