/** What gateways share about sessions that somebody has left. */
import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { endSession, findEndedSessions } from '../src/operate/sessions.ts'

const now = 1_800_000_000
/** The names of sessions that end so many seconds from now. */
const namesOf = (count: number, seconds: number) =>
  Array.from({ length: count }, (_, n) => `${now + seconds}.${n}`)

/** The sets that have names of sessions in them. */
async function sets({ redis, prefix }: Awaited<ReturnType<typeof ownBroker>>) {
  const keys = await redis.keys(`${prefix}:sessions:ended*`)
  return Promise.all(keys.map(async (key) => [key, await redis.scard(key)] as const))
}

test('more sessions can be looked up than a call has arguments', async () => {
  await using broker = await ownBroker()
  const [ended = '', other = ''] = [`${now + 60}.ended`, `${now + 7_200}.other`]
  for (const name of [ended, other]) await endSession(broker, name, now)
  const names = [...namesOf(150_000, 60), ended, ...namesOf(10, 7_200), other]
  expect(await findEndedSessions(broker, names)).toEqual(new Set([ended, other]))
  expect(await findEndedSessions(broker, [])).toEqual(new Set())
})

test('what ends a session does not grow with those that were ended before', async () => {
  await using broker = await ownBroker()
  await endSession(broker, `${now + 7_200}.first`, now)
  for (const [key] of await sets(broker)) {
    for (let n = 0; n < 20; n++) {
      await broker.redis.sadd(key, ...namesOf(1_000, 7_200).map((name) => `${name}.${n}`))
    }
  }
  const before = broker.redis.stream.bytesRead
  for (const name of namesOf(10, 7_201)) await endSession(broker, name, now)
  expect(broker.redis.stream.bytesRead - before).toBeLessThan(2_000)
})

test('a session that was ended is forgotten once it would have ended by itself', async () => {
  await using broker = await ownBroker()
  const old = namesOf(2_500, 60)
  for (const name of old.slice(0, 2)) await endSession(broker, name, now)
  const [[key = ''] = []] = await sets(broker)
  await broker.redis.sadd(key, ...old)
  expect((await findEndedSessions(broker, old)).size).toBe(2_500)
  await endSession(broker, `${now + 50_000}.later`, now + 7_200)
  expect((await findEndedSessions(broker, [...old, `${now + 50_000}.later`])).size).toBe(1)
  expect((await sets(broker)).map(([, names]) => names)).toEqual([1])
  expect(await broker.redis.scard(`${broker.prefix}:sessions:spans`)).toBe(1)
})
