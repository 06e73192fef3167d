/** Keys that nobody has shown yet, while PostgreSQL is away. */
import { announceKey } from '@sekali/broker/keys'
import { revokeKey } from '@sekali/store/change-keys'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createLiveKeys } from '../src/access/live-keys.ts'
import { eventBody, post } from './gateway.ts'
import { ownKeys } from './own-keys.ts'
import { madeUp, retyped } from './retyped.ts'

test('a key that was not used since the start lets in while PostgreSQL is away, and no other does', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50, graceMs: 2_000 } })
  const { text } = await own.make({ scopes: ['publish'] })
  const publish = (key: string) => own.ask('/publish', key, post(eventBody()))
  await eventually(() =>
    own.withoutPostgres(async () => {
      // An id that there is and one that there is not are answered alike.
      for (const wrong of [retyped(text, 3), madeUp()]) expect((await publish(wrong)).status).toBe(503)
      expect((await publish(text)).status).toBe(200)
      await eventually(async () => expect((await publish(text)).status).toBe(503)) // no longer than others
    }),
  )
})

test('a key that was revoked, or is in doubt, does not let in when PostgreSQL goes away', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50 } })
  const [gone, stays] = [await own.make(), await own.make()]
  await revokeKey(own.store, gone.key.id, { actor: 'test' })
  await announceKey(own.broker, gone.key.id)
  await eventually(() =>
    own.withoutPostgres(async () => {
      const statuses = []
      for (const { text } of [gone, stays])
        statuses.push((await own.ask('/publish', text, post(eventBody()))).status)
      expect(statuses).toEqual([503, 200])
    }),
  )
})

test('a gateway that can let nobody in is not ready, and says why', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50, graceMs: 1_000 } })
  const readiness = async () => {
    const answer = await own.ask('/readyz')
    return { status: answer.status, said: await answer.text() }
  }
  await own.withoutPostgres(async () => {
    await eventually(async () =>
      expect(await readiness()).toEqual({
        status: 503,
        said: expect.stringContaining('No key can be checked'),
      }),
    )
  })
  await eventually(async () =>
    expect(await readiness()).toEqual({ status: 200, said: expect.not.stringContaining('No key') }),
  )
})

const record = (id: string) => ({
  hash: Buffer.from(id),
  grant: { holder: id, scopes: [], topics: [] },
  expiresAt: null,
  revokedAt: null,
})
const digestOf = (id: string) => Buffer.from(id).toString('hex')

test('all keys are read at the start and after a change, and not each time that PostgreSQL is asked', async () => {
  let [version, asked, read] = ['1', 0, 0]
  await using live = createLiveKeys(
    {
      readVersion: async () => {
        asked += 1
        return version
      },
      readLive: async () => {
        read += 1
        return [record(`key ${read}`)]
      },
    },
    { refreshMs: 5 },
  )
  await eventually(() => expect(asked).toBeGreaterThan(5))
  expect(read).toBe(1)
  expect(live.of(digestOf('key 1'))?.record.grant.holder).toBe('key 1')
  version = '2'
  await eventually(() => expect(live.of(digestOf('key 2'))).toBeDefined())
  expect(live.of(digestOf('key 1'))).toBeUndefined()
  expect([live.ofId('key 2')?.record.grant.holder, live.ofId('key 1')]).toEqual(['key 2', undefined])
})

test('a key in doubt is not good until it is read again, also if a read was under way', async () => {
  const reads: PromiseWithResolvers<ReturnType<typeof record>[]>[] = []
  await using live = createLiveKeys(
    {
      readVersion: async () => '1',
      readLive: () => {
        const next = Promise.withResolvers<ReturnType<typeof record>[]>()
        reads.push(next)
        return next.promise
      },
    },
    { refreshMs: 5 },
  )
  await eventually(() => expect(reads).toHaveLength(1))
  live.doubt('a')
  reads[0]?.resolve([record('a')])
  await eventually(() => expect(reads).toHaveLength(2))
  expect([live.of(digestOf('a')), live.ofId('a')]).toEqual([undefined, undefined])
  reads[1]?.resolve([record('a')])
  await eventually(() => expect(live.of(digestOf('a'))).toBeDefined())
  live.doubt('a')
  expect(live.of(digestOf('a'))).toBeUndefined()
  await eventually(() => expect(reads).toHaveLength(3))
  reads[2]?.resolve([])
})
