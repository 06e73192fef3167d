/** A gateway that needs the word of a replica for each event, on a Redis that has none. */
import { untilConnected } from '@sekali/broker/connect'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { diagnose, eventBody, nowhere, post, problemIn } from './gateway.ts'
import { type ServedGateway, serveGateway } from './served-gateway.ts'

let database: Awaited<ReturnType<typeof ownDatabase>>
let gateway: ServedGateway
beforeAll(async () => {
  database = await ownDatabase()
  const urls = { redisUrl: inject('redisUrl'), databaseUrl: database.url }
  gateway = await serveGateway({ ...urls, prefix: ownPrefix(), replicasMin: 1 })
  await untilConnected(gateway.broker, 5_000)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test.each([
  ['an event', eventBody(), {}, {}],
  ['an array', `[${eventBody()}]`, {}, { queued: 0 }],
  ['an event that is waited for', eventBody(), { Prefer: 'wait=5' }, {}],
  ['lines', eventBody(), { 'Content-Type': 'application/x-ndjson' }, { queued: 0 }],
])('%s is refused as not replicated, and may come again [P1]', async (_, body, headers, more) => {
  const response = await fetch(`${gateway.url}/publish`, post(body, headers))
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
  expect(await problemIn(response)).toMatchObject({
    code: 'not_replicated',
    detail: expect.stringMatching(/REDIS_REPLICAS_MIN.*Publish all of it again/),
    ...more,
  })
})

test('it is not ready, and the doctor tells why and what to do', async () => {
  const ready = await fetch(`${gateway.url}/readyz`)
  expect(ready.status).toBe(503)
  const words = /^0 replicas are connected, and 1 must have an event/
  expect(await ready.json()).toMatchObject({ broker: 'unfit', problems: [expect.stringMatching(words)] })
  const { findings } = await diagnose(gateway)
  expect(findings.find(({ check }) => check === 'redis.replicas')).toMatchObject({
    level: 'problem',
    message: expect.stringMatching(words),
    remedy: expect.stringContaining('REDIS_REPLICAS_MIN'),
  })
})

test('REDIS_REPLICAS_MIN is a number, and a URL of Sentinels is refused in words if it is wrong', () => {
  const parse = (env: NodeJS.ProcessEnv) =>
    parseConfig({ REDIS_URL: nowhere.redisUrl, DATABASE_URL: nowhere.databaseUrl, ...env })
  expect(parse({}).broker.replicasMin).toBe(0)
  expect(parse({ REDIS_REPLICAS_MIN: '2' }).broker.replicasMin).toBe(2)
  expect(() => parse({ REDIS_REPLICAS_MIN: 'all' })).toThrow(/^REDIS_REPLICAS_MIN: /)
  const url = 'redis+sentinel://gateway:secret@s1:26379,s2:26379/main'
  expect(parse({ REDIS_URL: url }).broker.url).toBe(url)
  const wrong = () => parse({ REDIS_URL: 'redis+sentinel://gateway:secret@s1:26379,s2:26379' })
  expect(wrong).toThrow(/^REDIS_URL: must end with the name by which the Sentinels know the primary/)
  expect(wrong).not.toThrow(/secret/)
})
