/** A trace from a publisher's request to the turn that stores its event, as a collector gets it. */

import { startApp, startGateway } from '@sekali/testkit/app'
import { ownCollector } from '@sekali/testkit/collector'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'
import { readTopicTraces } from '../test/topic-traces.ts'

/** A gateway and, where wanted, a consumer that send their traces to a collector. */
async function tracedSystem(more: Record<string, string> = {}) {
  const stack = new AsyncDisposableStack()
  const collector = stack.use(await ownCollector())
  const database = stack.use(await ownDatabase())
  const broker = stack.use(await ownBroker())
  const env = {
    REDIS_URL: inject('redisUrl'),
    DATABASE_URL: database.url,
    REDIS_PREFIX: broker.prefix,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: '0',
    LOG_LEVEL: 'warn',
    ...more,
  }
  const gateway = stack.use(await startGateway(env))
  await eventually(async () => expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200))
  return {
    broker,
    spans: collector.spans,
    publish: (body: string, headers: Record<string, string> = {}) =>
      fetch(`${gateway.url}/publish`, post(body, headers)),
    consumer: () => stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'one' })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const traceparent = (flags = '01') => `00-${traceId}-${parentId}-${flags}`

test('the trace of a request that publishes is found in the links of the turn that stored its event', async () => {
  await using system = await tracedSystem()
  system.consumer()
  const answer = await system.publish(eventBody(), { traceparent: traceparent(), 'X-Request-Id': 'mine' })
  expect(answer.status).toBe(200)
  const [published, turn] = await eventually(() => {
    const found = ['publish orders', 'process orders'].map((name) =>
      system.spans.find((one) => one.name === name),
    )
    expect(found.map((one) => one?.name)).toEqual(['publish orders', 'process orders'])
    return found
  })
  expect(published).toMatchObject({ service: 'sekali-gateway', traceId, parentSpanId: parentId, kind: 4 })
  expect(published?.attributes).toMatchObject({
    'messaging.system': 'sekali',
    'messaging.destination.name': 'orders',
    'messaging.batch.message_count': 1,
    'http.response.status_code': 200,
    'sekali.request_id': 'mine',
  })
  expect(turn).toMatchObject({
    service: 'sekali-consumer',
    kind: 5,
    links: [{ traceId, spanId: published?.spanId }],
    attributes: { 'messaging.destination.name': 'orders', 'messaging.batch.message_count': 1 },
  })
  expect(turn?.traceId).not.toBe(traceId)
  expect(JSON.stringify(system.spans)).not.toContain('amount')
})

test('a batch has one span, and each of its topics keeps the trace', async () => {
  await using system = await tracedSystem()
  const events = ['a', 'b', 'a'].map((topic, n) => JSON.parse(eventBody({ topic, event_id: `e${n}` })))
  await system.publish(JSON.stringify(events), { traceparent: traceparent() })
  await eventually(() => {
    expect(system.spans).toMatchObject([
      { name: 'publish', attributes: { 'messaging.batch.message_count': 3 } },
    ])
  })
  for (const topic of ['a', 'b']) {
    const traces = new Set(await readTopicTraces(system.broker, topic))
    expect([...traces]).toEqual([`00-${traceId}-${system.spans[0]?.spanId}-01`])
  }
})

test('a request that is not sampled, or brings something else, leaves no trace', async () => {
  await using system = await tracedSystem()
  const others = [traceparent('00'), 'nonsense', `00-${'0'.repeat(32)}-${parentId}-01`, '']
  for (const text of others) await system.publish(eventBody(), { traceparent: text })
  await system.publish(eventBody())
  await system.publish(eventBody({ topic: 'last' }), { traceparent: traceparent() })
  await eventually(() => expect(system.spans.map(({ name }) => name)).toEqual(['publish last']))
  expect(await readTopicTraces(system.broker, 'orders')).toEqual([])
})

test('requests without a context are sampled by the ratio', async () => {
  await using system = await tracedSystem({ OTEL_TRACES_SAMPLER_ARG: '1' })
  await system.publish(eventBody())
  await eventually(() => expect(system.spans).toMatchObject([{ name: 'publish orders' }]))
  expect(system.spans[0]?.parentSpanId ?? '').toBe('')
})
