/** Ten thousand requests that are made of the description: none is a fault of the gateway, every answer is described. */
import { type IncomingMessage, request } from 'node:http'
import { createDocument } from '@sekali/api/openapi'
import { check } from '@sekali/testkit/answers'
import { startApp } from '@sekali/testkit/app'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { ownWebhooks } from '../test/own-webhooks.ts'
import { serveGateway } from '../test/served-gateway.ts'
import { requestsOf, type Sent } from './requests.ts'

const count = 10_000
const atATime = 16
/** Of a stream so much is waited for: it may never end. */
const streamMs = 50

/** A gateway with all that can be stored and folded, and no limit on new topics that the first hundred would use up. */
async function ownGateway() {
  const stack = new AsyncDisposableStack()
  const redisUrl = inject('redisUrl')
  const { url: databaseUrl } = stack.use(await ownDatabase())
  const prefix = ownPrefix()
  const env = { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, REDIS_PREFIX: prefix, LOG_LEVEL: 'warn' }
  stack.use(startApp('consumer/src/main.ts', env))
  stack.use(
    startApp('projector/src/main.ts', {
      ...env,
      PROJECTIONS_DIR: `${import.meta.dirname}/../../../examples`,
    }),
  )
  const topics = { max: 100_000, rate: { burst: 100_000, perSecond: 1_000 } }
  const { url } = stack.use(
    await serveGateway({ redisUrl, databaseUrl, prefix, topics, webhooks: ownWebhooks }),
  )
  // Nobody sends to it: a test of it waits for a second.
  const hook = { kind: 'push', topics: 'orders.>', url: 'https://shop.example/hooks', timeout_s: 1 }
  const put = { method: 'PUT', body: JSON.stringify(hook), headers: { 'Content-Type': 'application/json' } }
  expect((await fetch(`${url}/subscriptions/hook`, put)).status).toBe(201)
  return { url, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

interface Got {
  readonly status: number
  readonly violations: readonly string[]
}

/** Sends a request, and holds its answer against the description. */
async function send(url: string, { method, target, headers, body }: Sent): Promise<Got> {
  const { port } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const call = request({ port, method, path: target, headers, host: '127.0.0.1', agent: false })
  call.on('response', resolve)
  call.on('error', reject)
  call.end(body)
  const response = await promise
  const stop = isStream(response) ? setTimeout(() => call.destroy(), streamMs) : undefined
  let text = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) text += chunk
  } catch (error) {
    if (stop === undefined) throw error
  } finally {
    clearTimeout(stop)
  }
  const fields = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const)
  const status = response.statusCode ?? 0
  const isCoded = response.headers['content-encoding'] !== undefined
  const violations = check({
    method,
    path: target.split('?', 1)[0] ?? '',
    status,
    headers: new Map(fields),
    body: isCoded ? undefined : text,
    isWhole: response.complete,
  })
  return { status, violations }
}

const isStream = ({ headers }: IncomingMessage): boolean =>
  /ndjson|event-stream/.test(headers['content-type'] ?? '')

test('ten thousand generated requests: every answer is described, and none is a fault of the gateway', async () => {
  await using gateway = await ownGateway()
  const known = {
    topic: ['orders.eu.paid', 'orders.>'],
    event_id: ['order-1'],
    source: ['checkout-1'],
    name: ['customer-totals', 'login-alerts', 'event-counts', 'mailer', 'hook'],
    key: ['c-17', 'orders.eu.paid'],
    'If-None-Match': ['*', '"x"'],
    Prefer: ['wait=1', 'handling=lenient', 'progress', 'wait=1, handling=lenient'],
  }
  const seed = Math.floor(Math.random() * 2 ** 31)
  const sent = fc.sample(requestsOf(createDocument('0'), known), { numRuns: count, seed }).values()
  const statuses = new Map<number, number>()
  const wrong: string[] = []
  const sendNext = async () => {
    for (const one of sent) {
      const { status, violations } = await send(gateway.url, one).catch((error: unknown) => {
        throw new Error(`no answer to ${JSON.stringify(one).slice(0, 2_000)}`, { cause: error })
      })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const faults = status === 500 ? ['a fault of the gateway', ...violations] : violations
      wrong.push(...faults.map((fault) => `${fault}: ${JSON.stringify(one).slice(0, 2_000)}`))
    }
  }
  await Promise.all(Array.from({ length: atATime }, sendNext))
  expect({ seed, wrong: wrong.slice(0, 20) }).toEqual({ seed, wrong: [] })
  expect([...statuses.values()].reduce((sum, one) => sum + one)).toBe(count)
  // Were all refused at the door, nothing would be shown.
  for (const status of [200, 202, 204, 304, 400, 404, 405, 415, 422])
    expect([...statuses.keys()]).toContain(status)
  expect(statuses.get(200)).toBeGreaterThan(count / 10)
}, 300_000)
