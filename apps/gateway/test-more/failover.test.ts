/**
 * Failovers of Redis under load, with Sentinels and REDIS_REPLICAS_MIN=1: nothing that was answered with yes is lost, nothing
 * is counted as lost, and the promises hold (docs/scaling.md).
 */
import { connectStore } from '@sekali/store/connect'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { type OwnSentinels, ownSentinels } from '@sekali/testkit/sentinels'
import { expect, inject, test } from 'vitest'
import { ownSystem, type System } from '../test/system.ts'
import { type SureLoad, startLoad } from './sure-load.ts'

const acknowledgedMin = 13_000
const recoveryMsMax = 15_000
/** 2,000 events a second, and a failover. */
const drillMs = 60_000

async function ownDrill() {
  await using stack = new AsyncDisposableStack()
  const sentinels = stack.use(await ownSentinels({ downMs: 2_000 }))
  const system = stack.use(await ownSystem(sentinels.url, inject('postgresUrl'), { REDIS_REPLICAS_MIN: '1' }))
  const second = stack.use(startApp('consumer/src/main.ts', { ...system.env, CONSUMER_NAME: 'consumer-2' }))
  const load = startLoad(system.url)
  stack.defer(load.stop)
  await untilAcknowledged(load, 3_000)
  // What is acknowledged from here on is in Redis alone.
  const signal = (name: NodeJS.Signals) => {
    for (const consumer of [system.consumer, second]) consumer.signal(name)
  }
  signal('SIGSTOP')
  await untilAcknowledged(load, 5_000)
  const parts = stack.move()
  return {
    sentinels,
    system,
    load,
    resumeConsumers: () => signal('SIGCONT'),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

const untilAcknowledged = (load: SureLoad, count: number) =>
  eventually(() => expect(load.acknowledged.length).toBeGreaterThanOrEqual(count), drillMs)

const untilFailedOver = (sentinels: OwnSentinels) =>
  eventually(async () => {
    expect(await sentinels.primaryPort()).not.toBe(sentinels.redises[0].port)
  }, drillMs)

/** The log as SQL has it: topic, source and number of each event, by topic and seq. */
async function readLog({
  env,
}: System): Promise<{ topic: string; source: string; seq: number; number: number }[]> {
  await using store = connectStore({ url: String(env.DATABASE_URL), poolMax: 1, name: 'test' }, quiet)
  const { rows } = await store.pool.query(
    `SELECT name AS topic, source, seq::int, split_part(event_id, '-', 2)::int AS number
     FROM events JOIN topics ON topics.id = topic_id ORDER BY topic_id, seq`,
  )
  return rows
}

/** Stops the load, and holds the log against what was acknowledged. */
async function check(system: System, load: SureLoad): Promise<void> {
  await load.stop()
  const { totals } = await system.settled()
  const log = await readLog(system)
  const stored = new Set(log.map(({ topic, source, number }) => `${topic} ${source} ${number}`))
  expect(load.acknowledged.filter((one) => !stored.has(one))).toEqual([])
  expect(totals).toMatchObject({ stored: log.length, conflicts: 0, dead: 0, lost: 0, in_flight: 0 })
  expect(stored.size).toBe(log.length)
  const heads = new Map<string, number>()
  const last = new Map<string, number>()
  for (const { topic, source, seq, number } of log) {
    expect(seq).toBe((heads.get(topic) ?? 0) + 1)
    expect(number).toBe((last.get(source) ?? -1) + 1)
    heads.set(topic, seq)
    last.set(source, number)
  }
  expect(load.longestGapMs()).toBeLessThan(recoveryMsMax)
}

test('a primary that is killed under load: nothing acknowledged is lost, and it goes on within 15 s [P1] [P4] [P5] [P6] [P7] [P9]', async () => {
  await using drill = await ownDrill()
  const { sentinels, system, load, resumeConsumers } = drill
  sentinels.redises[0].kill('SIGKILL')
  await untilFailedOver(sentinels)
  resumeConsumers()
  await untilAcknowledged(load, acknowledgedMin)
  await check(system, load)

  const port = await sentinels.primaryPort()
  const { findings } = (await (await system.get('/doctor')).json()) as Diagnosis
  expect(findings.find(({ check }) => check === 'redis.role')?.message).toContain(`at 127.0.0.1:${port}`)
  expect((await system.get('/readyz')).status).toBe(200)
})

test('a primary that is cut off from replicas and Sentinels acknowledges nothing, and nothing is lost [P1] [P4] [P5] [P6] [P7] [P9]', async () => {
  await using drill = await ownDrill()
  const { sentinels, system, load, resumeConsumers } = drill
  await sentinels.cutSentinels()
  await sentinels.cutPrimary()
  await eventually(() => expect(load.refused).toContain('not_replicated'))
  const before = load.acknowledged.length
  await untilFailedOver(sentinels)
  expect(load.acknowledged.length).toBe(before)
  await sentinels.heal()
  // It throws away what it has when the others have it follow the new one.
  await eventually(async () => expect(await sentinels.roleOfFirst()).toBe('slave'), drillMs)
  resumeConsumers()
  await untilAcknowledged(load, acknowledgedMin)
  await check(system, load)
})

interface Diagnosis {
  readonly findings: readonly { readonly check: string; readonly message: string }[]
}
