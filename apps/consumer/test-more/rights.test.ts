/**
 * The users that docker compose makes in Redis may do what consumers and gateways do there, and no test of ours asks
 * Docker.
 */
import { createAppender } from '@sekali/broker/append'
import { readKeep } from '@sekali/broker/keep'
import { giveUp } from '@sekali/broker/keep-trim'
import { ownCollector } from '@sekali/testkit/collector'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { makeContainerUser } from '@sekali/testkit/redis-user'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { numbered, ownStack } from '../test/stack.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('with the rights that containers give it a consumer stores, traces, keeps and retires, and a gateway gives up what is kept', async () => {
  await using redis = await ownRedis()
  await using collector = await ownCollector()
  await using stack = await ownStack(redis.url)
  const { broker } = stack
  const url = await makeContainerUser(broker, redis.url, 'consumer')
  const env = {
    REDIS_URL: url,
    RETIRE_AFTER_MS: '1000',
    KEEP_SECONDS: '2',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  }
  await using consumer = stack.consumer('c1', env)
  await createAppender(broker, () => undefined).appendAll(numbered(20), traceparent)
  await stack.settled()
  const left = () => broker.redis.keys(`${broker.prefix}:stream:*`)
  await eventually(async () => expect(await left()).toEqual([]), 30_000)
  await eventually(() => expect(collector.spans.map(({ name }) => name)).toContain('process orders'))
  await stack.append(numbered(20, 21))
  await stack.settled()
  await using gateway = await ownBroker(await makeContainerUser(broker, redis.url, 'gateway'), broker.prefix)
  await giveUp(gateway, Number.POSITIVE_INFINITY, true, async () => undefined)
  expect(await readKeep(gateway)).toMatchObject({ bytes: 0, slices: [] })
  expect(await broker.redis.call('ACL', 'LOG')).toEqual([])
  expect(consumer.output()).not.toContain('NOPERM')
})
