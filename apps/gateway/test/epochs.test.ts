import { readForks } from '@sekali/store/forks'
import { fillLog } from '@sekali/testkit/fill-log'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { post } from './gateway.ts'
import { serveGateway } from './served-gateway.ts'

test('after a restore of which Redis knows nothing, an administrator begins an epoch of all logs', async () => {
  await using store = await ownStore()
  await fillLog(store, { orders: 20 }, { payload: `'{}'` })
  await using gateway = await serveGateway({
    redisUrl: inject('redisUrl'),
    databaseUrl: store.url,
    prefix: ownPrefix(),
  })
  const ask = (body: string) => fetch(`${gateway.url}/epochs`, post(body))
  const counted = await ask('{"dry_run":true}')
  expect(counted.status).toBe(200)
  expect(await counted.json()).toMatchObject({ topics: 1, events: 20, stored_since_start: 1 })
  expect(await readForks(store)).toEqual(new Map())

  const begun = await ask('{"restored_at":"2020-01-01T00:00:00Z"}')
  expect(begun.status).toBe(201)
  const { epoch, topics } = (await begun.json()) as { epoch: number; topics: number }
  expect(topics).toBe(1)
  expect((await readForks(store)).get(1)?.forks).toMatchObject([{ epoch, forkedAt: 0 }])

  for (const wrong of ['{"restored_at":"soon"}', '{"dry_run":1}', '{"epoch":7}', '[]', '{']) {
    expect((await ask(wrong)).status).toBeGreaterThanOrEqual(400)
    expect((await ask(wrong)).status).toBeLessThan(500)
  }
})
