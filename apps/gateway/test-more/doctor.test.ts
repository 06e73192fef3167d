import { createAppender } from '@sekali/broker/append'
import type { TopicName } from '@sekali/core/event'
import type { Diagnosis, Finding } from '@sekali/core/finding'
import { connectStore } from '@sekali/store/connect'
import { examineStore } from '@sekali/store/doctor'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase, ownPrefix, ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { event } from '@sekali/testkit/sample'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { clockFinding, consumerFindings, figureFindings, lagFinding } from '../src/operate/findings.ts'
import { createGateway, diagnose, nowhere } from '../test/gateway.ts'
import { ownSystem } from '../test/system.ts'

const levels = ({ findings }: Diagnosis) => new Map(findings.map(({ check, level }) => [check, level]))
const worse = ({ findings }: Diagnosis) =>
  findings.filter(({ level }) => level !== 'ok').map(({ check }) => check)

test('a system as it should be has nothing to complain about', async () => {
  await using system = await ownSystem()
  await system.publish()
  await system.settled()
  const diagnosis = (await (await system.get('/doctor')).json()) as Diagnosis
  expect(worse(diagnosis)).toEqual([])
  expect(diagnosis.status).toBe('ok')
  expect(diagnosis.findings.length).toBeGreaterThan(20)
})

test('a stream whose last id is ahead of the clock is found, with how far the furthest is', async () => {
  await using broker = await ownBroker()
  await using database = await ownDatabase()
  const { prefix } = broker
  await using gateway = createGateway({ redisUrl: inject('redisUrl'), databaseUrl: database.url, prefix })
  const { append } = createAppender(broker, () => {})
  const find = async () => {
    const { findings } = await diagnose(gateway)
    return findings.find(({ check }) => check === 'redis.last_ids')
  }
  for (const topic of ['well', 'ahead', 'far.ahead']) {
    await append(event({ topic: topic as TopicName }))
  }
  expect(await find()).toMatchObject({ level: 'ok' })
  for (const [topic, ms] of Object.entries({
    ahead: Date.now() + 60_000,
    'far.ahead': Date.now() + 3_600_000,
  })) {
    await broker.redis.call('XSETID', `${broker.prefix}:stream:${topic}`, `${ms}-0`)
  }
  expect(await find()).toMatchObject({
    level: 'warning',
    message: expect.stringMatching(/^2 streams .* by 3,[56]\d\d s \(topic far\.ahead\)/),
    remedy: expect.stringContaining('NTP'),
  })
})

test('a PostgreSQL whose log may get what publishers send is found', async () => {
  const find = async (settings: Record<string, string>, role = 'sekali') => {
    await using postgres = await ownPostgres(settings)
    await using store = await ownStore(postgres.url)
    await store.pool.query(
      `CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain`,
    )
    await using plain = connectStore(
      { url: store.url.replace(/sekali:\w+/, 'plain:plain'), poolMax: 1, name: 'x' },
      quiet,
    )
    const findings = await examineStore(role === 'plain' ? plain : store)
    return findings.find(({ check }) => check === 'postgres.log')?.message
  }
  const rows = 'it may get content of events: parts of rows that PostgreSQL refuses'
  const lax = { log_error_verbosity: 'default', log_statement: 'mod', log_parameter_max_length: '-1' }
  expect(await find(lax)).toBe('gets no content of events')
  expect(await find(lax, 'plain')).toBe(`${rows}, parameters of statements`)
  expect(await find({ log_destination: 'csvlog', logging_collector: 'on' })).toBe(rows)
})

test('settings that weaken a promise are found, each with its remedy, and so is what waits for a consumer [P1] [P2]', async () => {
  const weakRedis = ['--appendfsync', 'everysec', '--maxmemory-policy', 'allkeys-lru', '--maxmemory', '1mb']
  await using redis = await ownRedis(weakRedis)
  await using postgres = await ownPostgres({ fsync: 'off', synchronous_commit: 'off' })
  await using database = await ownDatabase(postgres.url)
  await using gateway = createGateway({
    redisUrl: redis.url,
    databaseUrl: database.url,
    prefix: ownPrefix(),
  })
  const diagnosis = await eventually(async () => {
    const found = await diagnose(gateway)
    expect(levels(found).get('consumers.present')).toBe('problem')
    return found
  })
  expect(worse(diagnosis)).toEqual([
    'redis.appendfsync',
    'redis.maxmemory_policy',
    'redis.memory',
    'redis.writes',
    'postgres.fsync',
    'postgres.synchronous_commit',
    'consumers.present',
  ])
  expect(diagnosis.status).toBe('problem')
  for (const { level, remedy } of diagnosis.findings) expect(remedy === undefined).toBe(level === 'ok')
})

test('without its servers the gateway still answers, and calls unknown what it cannot know', async () => {
  await using gateway = createGateway(nowhere)
  const response = await gateway.app.request('/doctor')
  const text = await response.text()
  const found = levels(JSON.parse(text))
  expect(found.get('redis.reachable')).toBe('problem')
  expect(found.get('postgres.reachable')).toBe('problem')
  expect(found.get('lag')).toBe('unknown')
  expect(found.get('projections')).toBe('unknown')
  expect(text).not.toContain('nobody') // the user's name in the URL
})

const levelOf = ({ level }: Finding) => level

test('a clock is off when that is more than the way there and back can explain', () => {
  expect(levelOf(clockFinding('c', 'Redis', 900, 1))).toBe('ok')
  expect(levelOf(clockFinding('c', 'Redis', 3_000, 2_500))).toBe('ok')
  const behind = clockFinding('c', 'Redis', -3_600_000, 5)
  expect(behind).toMatchObject({ level: 'warning', message: expect.stringContaining('3600000 ms behind') })
})

test('a dead consumer is one that is gone and still holds entries', () => {
  const alive = { name: 'a', pid: 1, startedAt: '', lastTurnAt: null, turns: 0 }
  const held = (name: string, idleMs: number) => [{ topic: 'orders', name, pending: 7, idleMs }]
  const dead = (name: string, idleMs: number) => consumerFindings([alive], held(name, idleMs), 7)[1]
  expect(dead('a', 60_000)).toMatchObject({ level: 'ok' })
  expect(dead('b', 1_000)).toMatchObject({ level: 'ok' })
  expect(dead('b', 60_000)).toMatchObject({
    level: 'warning',
    message: '7 packs of events are still with b, gone for 60 s',
  })
})

test('lag is how long the oldest has waited, not how much there is', () => {
  const at = (waitedMs: number) => lagFinding(1_000_000, new Map([['orders', 1e6 - waitedMs]]), 1e6)
  expect(at(500)).toMatchObject({ level: 'ok', message: '1,000,000 in flight' })
  expect(at(42_000)).toMatchObject({ level: 'warning', message: expect.stringMatching(/42 s.*orders/) })
  expect(levelOf(lagFinding(null, undefined, undefined))).toBe('unknown')
})

test('an outcome that should not be is counted in words, with the topics that have most of it', () => {
  const none = { accepted: 9, stored: 9, duplicates: 0, conflicts: 0, dead: 0, lost: 0, inFlight: 0 }
  const topic = (topic: string, figures: object) => ({ topic, headSeq: 9, lossAt: null, ...none, ...figures })
  const messages = (totals: object, topics: ReturnType<typeof topic>[] | null) =>
    figureFindings({ ...none, ...totals }, topics).map(({ message }) => message)
  expect(
    messages({ conflicts: 1, dead: 1 }, [
      topic('a', {}),
      topic('b', { conflicts: 1 }),
      topic('c', { dead: 1 }),
    ]),
  ).toEqual(['1 event came under an id that another content has (b)', '1 dead letter (c)', 'none'])
  const isSettled = figureFindings({ ...none, conflicts: 2, dead: 3 }, [], { conflicts: 1, dead: 3 })
  expect(isSettled.map(({ level, message }) => `${level}: ${message}`).slice(0, 2)).toEqual([
    'warning: 1 event came under an id that another content has',
    'ok: none open, 3 in all',
  ])
  const many = [1, 5, 2, 3, 4].map((lost, n) => topic(`t${n}`, { lost }))
  expect(messages({ lost: 1_500 }, many)[2]).toBe(
    '1,500 events vanished from Redis before they were stored (t1, t4, t3 and 2 more)',
  )
  expect(messages({ lost: 2 }, null)[2]).toBe('2 events vanished from Redis before they were stored')
})
