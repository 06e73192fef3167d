/** Which consumers there are. */
import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { announce, leave, presentIn, readConsumers } from '../src/operate/presence.ts'
import { presenceKey } from '../src/redis/keys.ts'

const presence = (name: string) => ({
  ...{ name, pid: 1, startedAt: '2026-01-01T00:00:00.000Z', lastTurnAt: null, turns: 0 },
})

test('who announces itself is told who is there, whatever names it knew', async () => {
  await using broker = await ownBroker()
  const namesFor = async (known?: string[]) => {
    const announced = await announce(broker, presence('b'), known)
    return presentIn(announced)
      .map(({ name }) => name)
      .sort()
  }
  expect(await namesFor()).toEqual(['b'])
  await announce(broker, presence('a'))
  expect(await namesFor()).toEqual(['a', 'b'])
  expect(await namesFor(['a', 'b'])).toEqual(['a', 'b'])
  expect(await namesFor(['a', 'b', 'gone'])).toEqual(['a', 'b'])
  // One that has said nothing for long is no longer there, and its name is known all the same.
  await broker.redis.del(presenceKey(broker, 'a'))
  const announced = await announce(broker, presence('b'), ['a', 'b'])
  expect([[...announced.keys()].sort(), presentIn(announced).length]).toEqual([['a', 'b'], 1])
  await leave(broker, 'a')
  expect((await readConsumers(broker)).map(({ name }) => name)).toEqual(['b'])
})
