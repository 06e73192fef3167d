/** Publishing while Redis has little memory left: it is refused before Redis refuses it, and comes back by itself. */
import { untilConnected } from '@sekali/broker/connect'
import { readKeep } from '@sekali/broker/keep'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { upTo } from '@sekali/testkit/sample'
import { parseScrape } from '@sekali/testkit/scrape'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { diagnose, eventBody, post } from './gateway.ts'
import { serveGateway } from './served-gateway.ts'

const mebibyte = 1024 * 1024

async function ownSystem() {
  const stack = new AsyncDisposableStack()
  const redis = stack.use(await ownRedis())
  const database = stack.use(await ownDatabase())
  const operator = stack.use(await ownBroker(redis.url))
  const { prefix } = operator
  const gateway = stack.use(await serveGateway({ redisUrl: redis.url, databaseUrl: database.url, prefix }))
  await untilConnected(gateway.broker, 15_000)
  await untilConnected(gateway.figuresBroker, 15_000)
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await operator.redis.info('memory'))?.[1])
  let id = 0
  const publish = async (fields: Record<string, unknown> = {}) => {
    const body = eventBody({ event_id: `e${++id}`, ...fields })
    const response = await fetch(`${gateway.url}/publish`, post(body))
    const retryAfter = Number(response.headers.get('retry-after'))
    return { status: response.status, retryAfter, body: (await response.json()) as { code?: string } }
  }
  return {
    gateway,
    operator,
    publish,
    /** Sets the limit such that Redis has used so many per cent of it. */
    fillTo: async (percent: number) => {
      const max = Math.round(((await used()) / percent) * 100)
      await operator.redis.config('SET', 'maxmemory', String(max))
    },
    startConsumer: () =>
      stack.use(
        startApp('consumer/src/main.ts', {
          REDIS_URL: redis.url,
          DATABASE_URL: database.url,
          REDIS_PREFIX: prefix,
          CONSUMER_NAME: 'late',
          LOG_LEVEL: 'warn',
        }),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('publishing is refused from 85 % of the memory on, and taken again below 75 %', async () => {
  await using system = await ownSystem()
  const { gateway, operator, publish, fillTo } = system
  await operator.redis.set('ballast', 'x'.repeat(32 * mebibyte)) // so that a percent is more than noise
  expect((await publish()).status).toBe(200)
  await fillTo(80)
  for (const _ of upTo(5)) expect((await publish()).status).toBe(200)
  await fillTo(90)
  const refused = await eventually(async () => {
    const answer = await publish()
    expect(answer.status).toBe(503)
    return answer
  })
  expect(refused.body.code).toBe('memory_limit')
  expect(refused.retryAfter).toBeGreaterThanOrEqual(1)
  expect(refused.retryAfter).toBeLessThanOrEqual(60)
  // Queries are not, so it stays ready.
  const readyz = await gateway.app.request('/readyz')
  expect(readyz.status).toBe(200)
  expect(((await readyz.json()) as { warnings: string[] }).warnings).toContainEqual(
    expect.stringMatching(/^Redis has used 9\d % of its maxmemory: publishing is refused/),
  )
  const shedding = async () => parseScrape(await gateway.metrics.scrape()).get('sekali_redis_shedding')
  expect(await shedding()).toBe(1)
  const { findings } = await diagnose(gateway)
  expect(findings).toContainEqual(expect.objectContaining({ check: 'pressure.memory', level: 'problem' }))

  await fillTo(80)
  const seen = await eventually(() => {
    const { memoryPercent, isShedding } = gateway.pressure.state()
    expect(memoryPercent).toBeLessThan(85)
    return isShedding
  })
  expect(seen).toBe(true)
  expect((await publish()).body.code).toBe('memory_limit')
  await fillTo(70)
  await eventually(async () => expect((await publish()).status).toBe(200))
  expect(await shedding()).toBe(0)
})

test('a flood that nobody stores ends at 85 %, consumers drain it, and publishing comes back [P7] [P9]', async () => {
  await using system = await ownSystem()
  const { operator, publish } = system
  await operator.redis.config('SET', 'maxmemory', String(24 * mebibyte))
  const payload = { text: 'x'.repeat(50_000) }
  const codes = new Map<string, number>()
  const flood = async (_: unknown, lane: number) => {
    for (let number = 0; number < 300; number++) {
      const { status, body } = await publish({ topic: `flood${lane}`, payload })
      const code = body.code ?? String(status)
      codes.set(code, (codes.get(code) ?? 0) + 1)
      if (status !== 200 && number > 100) return
    }
  }
  await Promise.all(Array.from({ length: 4 }, flood))
  // On a busy machine Redis may take longer than the gateway waits.
  const uncertain = codes.get('broker_unavailable') ?? 0
  codes.delete('broker_unavailable')
  expect([...codes.keys()].sort()).toEqual(['200', 'memory_limit'])
  expect(await operator.redis.info('errorstats')).not.toContain('errorstat_OOM')

  system.startConsumer()
  const taken = codes.get('200') ?? 0
  const stats = async () =>
    (await (await system.gateway.app.request('/stats')).json()) as { totals: Record<string, number> }
  await eventually(async () => {
    const { totals } = await stats()
    expect(totals.accepted).toBeGreaterThanOrEqual(taken)
    expect(totals.accepted).toBeLessThanOrEqual(taken + uncertain)
    expect(totals).toMatchObject({ stored: totals.accepted, in_flight: 0 })
  }, 30_000)
  await eventually(async () => expect((await publish()).status).toBe(200))
})

test('what Redis keeps of stored events goes before any is refused, also when no consumer runs', async () => {
  await using system = await ownSystem()
  const { gateway, operator, publish, fillTo } = system
  const consumer = system.startConsumer()
  const payload = { text: 'x'.repeat(200_000) }
  for (const n of upTo(40)) {
    expect((await publish({ topic: n % 2 === 0 ? 'busy' : 'orders', payload })).status).toBe(200)
  }
  await eventually(async () => {
    const { totals } = (await (await gateway.app.request('/stats')).json()) as { totals: object }
    expect(totals).toMatchObject({ stored: 40, in_flight: 0 })
  }, 30_000)
  consumer.signal('SIGTERM')
  await consumer.exited
  const { bytes } = await readKeep(operator)
  expect(bytes).toBeGreaterThan(8_000_000)
  await fillTo(92)
  const codes = new Set<number>()
  await eventually(async () => {
    codes.add((await publish()).status)
    expect((await readKeep(operator)).bytes).toBeLessThan(bytes / 2)
  })
  for (const _ of upTo(5)) codes.add((await publish()).status)
  expect([...codes]).toEqual([200])
  expect(gateway.pressure.state().isShedding).toBe(false)
  const { findings } = await diagnose(gateway)
  expect(findings).toContainEqual(expect.objectContaining({ check: 'redis.keep', level: 'ok' }))
})

test('shedding must end below where it begins', () => {
  const env = { REDIS_URL: 'redis://localhost', DATABASE_URL: 'postgres://localhost' }
  expect(parseConfig(env).pressure).toMatchObject({ shedAt: 85, shedUntil: 75 })
  expect(() => parseConfig({ ...env, SHED_UNTIL: '90' })).toThrow(
    'SHED_UNTIL is 90 and must be less than SHED_AT, which is 85',
  )
})
