/** What many topics and many callers make of `/stats`, `/doctor` and what projections say of their topics. */
import { createClient } from '@sekali/client/client'
import type { Diagnosis } from '@sekali/core/finding'
import { registerProjection } from '@sekali/store/register-projection'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownPrefix, ownStore } from '@sekali/testkit/own'
import { afterAll, expect, inject, test } from 'vitest'
import { shareReadings } from '../src/clients/single-flight.ts'
import { createGateway, nowhere } from './gateway.ts'

interface Stats {
  readonly totals: { readonly stored: number | null; readonly in_flight: number | null }
  readonly topics: readonly { readonly topic: string; readonly stored: number }[] | null
}

const topicsThere = 2_300

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

/** A gateway on a log of so many topics with an event each. */
async function manyTopics() {
  const store = stack.use(await ownStore())
  const prefix = ownPrefix()
  const gateway = stack.use(createGateway({ redisUrl: inject('redisUrl'), databaseUrl: store.url, prefix }))
  await store.pool.query(
    `INSERT INTO topics (name, head) SELECT 'load.' || to_char(i, 'FM0000'), 1 FROM generate_series(1, $1::int) i`,
    [topicsThere],
  )
  const get = async (path: string) => await gateway.app.request(path)
  const stats = async (path = '/stats') => {
    const response = await get(path)
    return { link: response.headers.get('link'), body: (await response.json()) as Stats }
  }
  await eventually(async () => expect((await stats()).body.totals.in_flight).toBe(0))
  return { store, gateway, get, stats }
}

const system = await manyTopics()

test('a page of /stats has 1,000 topics at most, its link leads to the rest, and its totals are over all', async () => {
  const { body, link } = await system.stats()
  expect(body.topics).toHaveLength(1_000)
  expect(body.totals).toMatchObject({ stored: topicsThere, in_flight: 0 })
  expect(link).toBe('<?limit=1000&after=load.1000>; rel="next"')

  const seen: string[] = []
  for (let path: string | undefined = '/stats?limit=900'; path !== undefined; ) {
    const page = await system.stats(path)
    expect(page.body.totals.stored).toBe(topicsThere)
    seen.push(...(page.body.topics ?? []).map(({ topic }) => topic))
    const [, next] = /^<(\?.*)>; rel="next"/.exec(page.link ?? '') ?? []
    path = next && `/stats${next}`
  }
  expect(seen).toHaveLength(topicsThere)
  expect(seen).toEqual([...new Set(seen)].sort())

  const some = await system.stats('/stats?topic=load.*&limit=1&after=load.2298')
  expect(some.body.topics).toMatchObject([{ topic: 'load.2299' }])
  expect(some.link).toContain('topic=load.*')
  const one = await system.stats('/stats?topic=load.0042')
  expect(one.body).toMatchObject({ topics: [{ topic: 'load.0042' }], totals: { stored: topicsThere } })
  expect(one.link).toBeNull()
  for (const query of ['limit=0', 'limit=1001', 'topic=a..b', 'after=a..b', 'befor=a']) {
    expect((await system.get(`/stats?${query}`)).status, query).toBe(422)
  }

  const client = createClient({
    baseUrl: 'http://gateway',
    fetch: async (url) => await system.gateway.app.request(new URL(url).pathname + new URL(url).search),
  })
  expect((await client.stats()).topics?.map(({ topic }) => topic)).toEqual(seen)
  expect((await client.stats({ topic: 'load.0007' })).topics).toHaveLength(1)
})

test('however many ask at once, the servers are read once or twice, and whoever asks sees what he published', async () => {
  await using broker = await ownBroker()
  const reads = async () => {
    const info = await broker.redis.info('commandstats')
    return Number(/cmdstat_smembers:calls=(\d+)/.exec(info)?.[1])
  }
  const before = await reads()
  const paths = Array.from({ length: 60 }, (_, index) => (index % 2 ? '/doctor' : '/stats'))
  const answers = await Promise.all(paths.map((path) => system.get(path)))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  // Topics and consumers are a set each. Others share this Redis, so it is not to the call.
  expect((await reads()) - before).toBeLessThan(40)

  for (let seq = 1; seq <= 3; seq++) {
    await system.store.pool.query(`UPDATE topics SET head = $1 WHERE name = 'load.0001'`, [seq + 1])
    expect((await system.stats()).body.totals.stored).toBe(topicsThere + seq)
  }
})

test('a reading begins after it was asked for, and after a rest that grows with what the last one took', async () => {
  let begun = 0
  const times: number[] = []
  const read = shareReadings(async () => {
    times.push(performance.now())
    await new Promise((resolve) => setTimeout(resolve, 50))
    return ++begun
  })
  const first = read()
  expect(read()).toBe(first)
  await new Promise((resolve) => setTimeout(resolve, 10))
  const late = [read(), read()]
  expect(await first).toBe(1)
  expect(await Promise.all(late)).toEqual([2, 2])
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(150)
})

test('as_of is left out where it would name more than 1,000 topics, unless it is wanted', async () => {
  const register = (name: string, topicRegex: RegExp) =>
    registerProjection(system.store, {
      ...{ name, version: 1, hash: 'h', topics: ['>'], topicRegex, keyed: false, initial: '0' },
    })
  await register('few', /^load\.0001$/)
  await register('many', /^.+$/)
  await system.store.pool.query(`
    INSERT INTO projections.checkpoints (generation_id, topic_id, seq)
    SELECT g.id, t.id, 1 FROM projections.generations g JOIN topics t ON t.name ~ g.topic_regex`)
  const asOf = async (path: string) =>
    ((await (await system.get(path)).json()) as { as_of: object | null }).as_of
  expect(await asOf('/projections/few')).toEqual({ 'load.0001': 1 })
  expect(await asOf('/projections/few?as_of=false')).toBeNull()
  expect(await asOf('/projections/many')).toBeNull()
  expect(Object.keys((await asOf('/projections/many?as_of=true')) ?? {})).toHaveLength(topicsThere)
  const list = async (query = '') => {
    const all = (await (await system.get(`/projections${query}`)).json()) as { as_of: object | null }[]
    return all.map(({ as_of }) => as_of && Object.keys(as_of).length)
  }
  expect([await list(), await list('?as_of=true'), await list('?as_of=false')]).toEqual([
    [1, null],
    [1, topicsThere],
    [null, null],
  ])
  expect((await system.get('/projections?as_of=perhaps')).status).toBe(422)
  await system.store.pool.query(`UPDATE projections.generations SET keyed = true;
    INSERT INTO projections.states (revision, generation_id, key, state)
    SELECT 1, id, k, '1' FROM projections.generations, unnest(ARRAY['a', 'b']) k`)
  expect(await asOf('/projections/many/a')).toBeNull()
  for (const path of ['/projections/many/a?as_of=true', '/projections/many?key=a&as_of=true']) {
    expect(Object.keys((await asOf(path)) ?? {})).toHaveLength(topicsThere)
  }
  const page = await system.get('/projections/many?limit=1&as_of=false')
  expect(page.headers.get('link')).toBe('<?limit=1&after=a&as_of=false>; rel="next"')
  expect((await system.get('/projections/many?key=a&limit=1')).status).toBe(422)
})

test('an answer of /doctor is short, however many topics and projections there are', async () => {
  for (let index = 0; index < 40; index++) {
    const name = `projection-with-a-long-name-${index}`
    const topics = { topics: ['>'], topicRegex: /^.+$/ }
    await registerProjection(system.store, {
      name,
      version: 1,
      hash: 'h',
      ...topics,
      keyed: false,
      initial: '0',
    })
  }
  await system.store.pool.query(`UPDATE projections.generations SET stage = 'live', failed_message = 'm',
    failed_topic = repeat('t', 128), failed_seq = 1, failed_event_id = 'e'`)
  const text = await (await system.get('/doctor')).text()
  expect((JSON.parse(text) as Diagnosis).status).toBe('problem')
  expect(text.length).toBeLessThan(10_000)
})

test('figures that nobody can read do not hold up an answer for long', async () => {
  await using gateway = createGateway(nowhere)
  const startedAt = performance.now()
  const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.app.request('/stats')))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(performance.now() - startedAt).toBeLessThan(3_000)
})
