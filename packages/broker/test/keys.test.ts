import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { announceKey, listenToKeys } from '../src/hints/keys.ts'

test('a key that has changed is announced to whoever listens, and nothing else that is said there', async () => {
  await using broker = await ownBroker()
  const heard: string[] = []
  await using _listener = listenToKeys(broker, (id) => heard.push(id))
  const id = 'abcDEF123456'
  await eventually(async () => {
    await broker.redis.publish(`${broker.prefix}:keys`, 'not an id')
    await announceKey(broker, id)
    expect(heard).toContain(id)
  })
  expect(new Set(heard)).toEqual(new Set([id]))
})
