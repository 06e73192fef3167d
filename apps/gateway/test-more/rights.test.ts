/** The user that docker compose makes in Redis may do what gateways do there, and no test of ours asks Docker. */
import { startApp, startGateway } from '@sekali/testkit/app'
import { ownCollector } from '@sekali/testkit/collector'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { makeContainerUser } from '@sekali/testkit/redis-user'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('with the rights that containers give it a gateway publishes, traces, reads, and says how it is', async () => {
  await using redis = await ownRedis()
  await using collector = await ownCollector()
  await using database = await ownDatabase()
  await using broker = await ownBroker(redis.url)
  const env = {
    DATABASE_URL: database.url,
    REDIS_PREFIX: broker.prefix,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  }
  const consumerUrl = await makeContainerUser(broker, redis.url, 'consumer')
  await using _consumer = startApp('consumer/src/main.ts', { ...env, REDIS_URL: consumerUrl })
  const url = await makeContainerUser(broker, redis.url, 'gateway')
  await using gateway = await startGateway({ ...env, REDIS_URL: url })
  const at = (path: string) => `${gateway.url}${path}`
  await eventually(async () => expect((await fetch(at('/readyz'))).status).toBe(200))
  const waited = post(eventBody(), { traceparent, prefer: 'wait=10' })
  expect((await fetch(at('/publish'), waited)).status).toBe(200)
  for (const path of [
    '/events?topic=orders',
    '/stats',
    '/rates',
    '/doctor',
    '/topics/orders',
    '/dead-letters',
  ]) {
    expect([path, (await fetch(at(path))).status]).toEqual([path, 200])
  }
  const tail = await fetch(at('/tail?topic=orders&from=start'))
  expect(tail.status).toBe(200)
  await tail.body?.cancel()
  expect((await fetch(at('/topics/mistyped'), { method: 'DELETE' })).status).toBe(404)
  expect(await broker.redis.call('ACL', 'LOG')).toEqual([])
})
