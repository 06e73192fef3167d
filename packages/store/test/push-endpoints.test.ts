/** What administrators do with push subscriptions, and what dispatchers do beside their turns. */
import { parsePattern } from '@sekali/core/pattern'
import { expect, test } from 'vitest'
import { readAttempts } from '../src/push/attempts.ts'
import { answerTest, readTargets, sweepAttempts, takeTests } from '../src/push/dispatch.ts'
import { beat, readDispatchers } from '../src/push/dispatchers.ts'
import { putPush } from '../src/push/put.ts'
import { listSecrets, removeSecret, rotateSecret } from '../src/push/secrets.ts'
import { askTest, readTest } from '../src/push/tests.ts'
import { removeSubscription } from '../src/subscriptions/control.ts'
import { delivered, endpointOf, idOf, pushed, pushOf, reportOf, sealed, turn } from './push.ts'
import { by } from './subscriptions.ts'

const within = [parsePattern('>')]
const page = async (store: Parameters<typeof idOf>[0], more: object = {}) =>
  readAttempts(store, { subscription: await idOf(store), within, limit: 100, ...more })

test('it is created once, changed where it may change, and removed with all that it has', async () => {
  await using store = await pushed(1)
  expect(await putPush(store, pushOf(), sealed, by)).toMatchObject({ outcome: 'same' })
  const headers = { names: ['authorization'], sealed: Buffer.from('x'), tag: Buffer.from('y') }
  const changed = pushOf({ url: 'https://example.com/other', headers, ratePerSecond: 5, retrySeconds: [1] })
  expect(await putPush(store, changed, sealed, by)).toMatchObject({
    outcome: 'changed',
    subscription: { kind: 'push', backoffSeconds: [1], deliveriesMax: 2, leaseSeconds: 25 },
  })
  const resealed = { ...changed, headers: { ...headers, sealed: Buffer.from('z') } }
  expect(await putPush(store, resealed, sealed, by)).toMatchObject({ outcome: 'same' })
  const retagged = { ...changed, headers: { ...headers, tag: Buffer.from('z') } }
  expect(await putPush(store, retagged, sealed, by)).toMatchObject({ outcome: 'changed' })
  expect(await endpointOf(store)).toMatchObject({
    url: 'https://example.com/other',
    headerNames: ['authorization'],
    ratePerSecond: 5,
  })
  expect(await putPush(store, { ...changed, order: 'source' }, sealed, by)).toMatchObject({
    outcome: 'immutable',
    field: 'order',
  })
  const id = await idOf(store)
  await removeSubscription(store, 'mailer', by)
  expect(await listSecrets(store, id)).toEqual([])
  expect(await readTargets(store)).toEqual([])
})

test('a rotated secret signs beside the one before it, and the newest one stays', async () => {
  await using store = await pushed(1)
  const id = await idOf(store)
  const [old] = await listSecrets(store, id)
  const rotated = await rotateSecret(store, 'mailer', Buffer.from('newer'), by)
  if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome)
  const [target] = await readTargets(store)
  expect(target?.secrets.map(String)).toEqual(['newer', 'sealed'])
  const both = await listSecrets(store, id)
  expect(both.map(({ id, expiresAt }) => [id, expiresAt !== null])).toEqual([
    [rotated.id, false],
    [old?.id, true],
  ])
  const hours = (Date.parse(both[1]?.expiresAt ?? '') - Date.parse(both[0]?.createdAt ?? '')) / 3_600_000
  expect(hours).toBeCloseTo(24, 1)
  expect(await removeSecret(store, 'mailer', rotated.id, by)).toBe('last_one')
  expect(await removeSecret(store, 'mailer', old?.id ?? 0, by)).toBe('removed')
  expect(await removeSecret(store, 'mailer', old?.id ?? 0, by)).toBe('no_such_secret')
  for (let n = 0; n < 4; n++) await rotateSecret(store, 'mailer', sealed, by)
  expect(await rotateSecret(store, 'mailer', sealed, by)).toEqual({ outcome: 'too_many' })
  expect(await rotateSecret(store, 'nobody', sealed, by)).toEqual({ outcome: 'unknown' })
})

test('a sample is asked for, sent by one, and its answer is found', async () => {
  await using store = await pushed(1)
  const asked = await askTest(store, 'mailer', by)
  if (asked.outcome !== 'asked') throw new Error(asked.outcome)
  expect(await readTest(store, asked.id)).toBe('waiting')
  expect(await takeTests(store)).toEqual([{ id: asked.id, subscription: await idOf(store) }])
  expect(await takeTests(store)).toEqual([])
  const { items } = await turn(store)
  const { seq, topicId, epoch, ageMs, ...report } = {
    ...reportOf(items[0] as never),
    kind: 'test' as const,
  } as never as Record<string, never>
  await answerTest(store, asked.id, report as never)
  expect(await readTest(store, asked.id)).toMatchObject({ kind: 'test', topic: null, seq: null, status: 200 })
  expect(await page(store)).toMatchObject([{ kind: 'test' }])
  for (let n = 0; n < 5; n++) await askTest(store, 'mailer', by)
  expect(await askTest(store, 'mailer', by)).toEqual({ outcome: 'too_many' })
})

test('dispatchers know of each other, and old attempts go', async () => {
  await using store = await pushed(1)
  const ids = ['0b39d4a2-4d4d-4f4e-8d0a-000000000001', '0b39d4a2-4d4d-4f4e-8d0a-000000000002'] as const
  await beat(store, { id: ids[0], name: 'one' })
  expect((await beat(store, { id: ids[1], name: 'two' })).sort()).toEqual(ids)
  expect(await readDispatchers(store)).toMatchObject([
    { name: 'one', live: true },
    { name: 'two', live: true },
  ])
  expect(await beat(store, { id: ids[0], name: 'one', leaves: true })).toEqual([ids[1]])
  const { items } = await turn(store)
  await turn(store, delivered(items))
  expect(await sweepAttempts(store, 30)).toBe(0)
  await store.pool.query(`UPDATE subscriptions.attempts SET at = at - interval '31 days'`)
  expect(await sweepAttempts(store, 30)).toBe(1)
})
