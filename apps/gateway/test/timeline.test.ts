import { raiseFence } from '@sekali/broker/fence'
import { readLineage } from '@sekali/store/lineage'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { createGateway, diagnose, type Gateway } from './gateway.ts'

const timelineOf = async (gateway: Gateway) =>
  (await diagnose(gateway)).findings.find(({ check }) => check === 'postgres.timeline')

test('readiness and doctor say that PostgreSQL is an old primary, and what to do about it', async () => {
  await using database = await ownDatabase()
  const prefix = ownPrefix()
  await using gateway = createGateway({ redisUrl: inject('redisUrl'), databaseUrl: database.url, prefix })
  const lineage = await readLineage(gateway.store)
  if (lineage === undefined) throw new Error('no primary')
  const { timeline } = lineage
  const ready = async () => await (await gateway.app.request('/readyz')).json()
  await eventually(async () => {
    expect(await timelineOf(gateway)).toMatchObject({
      level: 'ok',
      message: expect.stringMatching(/no turn/),
    })
    expect(await ready()).toMatchObject({ store: 'ok', warnings: [] })
  })
  await raiseFence(gateway.broker, { ...lineage, timeline: timeline + 2 })
  expect(await timelineOf(gateway)).toEqual({
    check: 'postgres.timeline',
    level: 'problem',
    message: expect.stringContaining(
      `${timeline}, and turns were on ${timeline + 2}: PostgreSQL is an old primary`,
    ),
    remedy: expect.stringMatching(/^stop it, and bring it back as a standby/),
  })
  expect(await ready()).toMatchObject({
    status: 'ready',
    store: 'unfit',
    warnings: [expect.stringMatching(/old primary.*\(OLD_PRIMARY\): stop it/)],
  })
})
