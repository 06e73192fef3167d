/** The user that docker compose makes in Redis may do what consumers do there, and no test of ours asks Docker. */
import { createAppender } from '@sekali/broker/append'
import { ownCollector } from '@sekali/testkit/collector'
import { eventually } from '@sekali/testkit/eventually'
import { makeContainerUser } from '@sekali/testkit/redis-user'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { numbered, ownStack } from '../test/stack.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('with the rights that containers give it a consumer stores, traces and retires', async () => {
  await using redis = await ownRedis()
  await using collector = await ownCollector()
  await using stack = await ownStack(redis.url)
  const { broker } = stack
  const url = await makeContainerUser(broker, redis.url, 'consumer')
  const env = { REDIS_URL: url, RETIRE_AFTER_MS: '1000', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  await using consumer = stack.consumer('c1', env)
  await createAppender(broker, () => undefined).appendAll(numbered(20), traceparent)
  await stack.settled()
  const left = () => broker.redis.keys(`${broker.prefix}:stream:*`)
  await eventually(async () => expect(await left()).toEqual([]), 30_000)
  await eventually(() => expect(collector.spans.map(({ name }) => name)).toContain('process orders'))
  await stack.append(numbered(20, 21))
  await stack.settled()
  expect(await broker.redis.call('ACL', 'LOG')).toEqual([])
  expect(consumer.output()).not.toContain('NOPERM')
})
