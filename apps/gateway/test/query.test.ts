/** What queries find through HTTP, in pages and in replays, on real servers. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from '@sekali/client/client'
import { event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { nextOf } from './links.ts'
import { lines, namesOf, ownLog, read, type Shown } from './log-of-orders.ts'

let system: Awaited<ReturnType<typeof ownLog>>
beforeAll(async () => {
  system = await ownLog()
})
afterAll(() => system[Symbol.asyncDispose]())

async function follow(path: string): Promise<Shown[]> {
  const seen: Shown[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const response = await system.get(next)
    expect(response.status).toBe(200)
    seen.push(...((await response.json()) as Shown[]))
    next = nextOf(next, response)
  }
  return seen
}

test.each([
  ['topic=orders.*&order=asc&limit=300', 1_000],
  ['topic=orders.%3E&limit=999', 1_000],
  ['topic=orders.*&source=tenth&limit=7', 100],
  ['topic=orders.eu&source=tenth&after=0&limit=30', 70],
  ['topic=orders.eu&from=2025-01-01T01:00:00Z&to=2025-01-01T02:00:00Z&limit=25', 60],
  ['topic=orders.*&by=received_at&from=2025-02-01T01:00:00Z&to=2025-02-01T02:00:00Z&limit=25', 120],
  ['topic=orders.eu&after=10&before=20&limit=4', 9],
  ['topic=orders.eu&after=10&before=20&limit=4&order=desc', 9],
  ['source=tenth&to=2025-01-01T00:30:00Z&limit=4', 6],
])('the links of ?%s lead through all events once', async (query, count) => {
  const seen = await follow(`/events?${query}`)
  expect(new Set(namesOf(seen)).size).toBe(count)
  expect(seen.length).toBe(count)
  for (const topic of ['orders.eu', 'orders.us']) {
    const seqs = seen.filter((event) => event.topic === topic).map(({ seq }) => seq)
    const up = /after|order=asc/.test(query) && !query.includes('desc')
    expect(seqs).toEqual(seqs.toSorted((a, b) => (up ? a - b : b - a)))
  }
})

test('without a topic there is a next page as long as there is more', async () => {
  const seen: string[] = []
  let path: string | undefined = '/events?limit=400'
  for (let page = 1; page <= 3; page++) {
    const response: Response = await system.get(path ?? '')
    seen.push(...namesOf((await response.json()) as Shown[]))
    path = nextOf(path ?? '', response)
  }
  expect(new Set(seen).size).toBe(1_200)
})

test('behind a proxy that puts a prefix before the path the next page is where the link says', async () => {
  const prefix = '/log/of/us'
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url?.startsWith(`${prefix}/`) ? incoming.url.slice(prefix.length) : '/not/here'
    const sent = request(`${system.gateway.url}${path}`, { headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    sent.end()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  try {
    for (const [path, pages] of [
      ['/events?topic=orders.eu&limit=400', 2],
      ['/stats?limit=2', 2],
    ] as const) {
      let url: string | undefined = `http://127.0.0.1:${port}${prefix}${path}`
      for (let page = 1; page <= pages; page++) {
        const response: Response = await fetch(url)
        expect([url, response.status]).toEqual([url, 200])
        const [, target] = /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '') ?? []
        url = new URL(target ?? '', url).href
      }
    }
    const client = createClient({ baseUrl: `http://127.0.0.1:${port}${prefix}` })
    const seqs: number[] = []
    for await (const { seq } of client.read({ topic: 'orders.us', after: 0, limit: 120 })) seqs.push(seq)
    expect(seqs).toEqual(upTo(300))
  } finally {
    proxy.close()
    proxy.closeAllConnections()
  }
})

test('a topic that is not named among bounds to end at has no end', async () => {
  const query = '/events?topic=orders.*&before=orders.us:3&order=asc&limit=1000'
  const found = [
    (await (await system.get(query)).json()) as Shown[],
    read(await (await system.get(query, lines)).text()),
  ]
  for (const events of found) {
    expect(events.filter(({ topic }) => topic === 'orders.us').map(({ seq }) => seq)).toEqual([1, 2])
    expect(events.filter(({ topic }) => topic === 'orders.eu')).toHaveLength(700)
  }
})

test('a commit that is late makes neither a page nor a replay skip anything [P5]', async () => {
  const topics = ['late.a', 'late.b']
  const commit = (topic: string, id: string, beforeCommit?: () => Promise<void>) => {
    const events = [1, 2, 3].map((n) => event({ topic, eventId: `${id}${n}` }))
    return storeEvents(system.store, events, beforeCommit)
  }
  const seen: Shown[] = []
  let cursor = '0'
  const readOn = async () => {
    const response = await system.get(`/events?topic=late.*&order=asc&after=${cursor}&limit=2`)
    seen.push(...((await response.json()) as Shown[]))
    const next = /after=([^&>]+)/.exec(response.headers.get('link') ?? '')?.[1]
    cursor =
      next ??
      ['late.a', 'late.b']
        .map((topic) => `${topic}:${seen.filter((shown) => shown.topic === topic).length}`)
        .join(',')
    return next !== undefined
  }
  for (let round = 0; round < 5; round++) {
    // The first topic's events are inserted, and stamped, before those of the second, and committed after.
    await commit('late.a', `a${round}`, async () => {
      await commit('late.b', `b${round}`)
      while (await readOn());
      const replayed = read(await (await system.get('/events?topic=late.*', lines)).text())
      expect(replayed.filter(({ topic }) => topic === 'late.a').length).toBe(3 * round)
      expect(replayed.filter(({ topic }) => topic === 'late.b').length).toBe(3 * (round + 1))
    })
    while (await readOn());
  }
  for (const topic of topics) {
    const seqs = seen.filter((shown) => shown.topic === topic).map(({ seq }) => seq)
    expect(seqs).toEqual(upTo(15))
  }
  const replayed = read(await (await system.get('/events?topic=late.*', lines)).text())
  expect(new Set(namesOf(replayed))).toEqual(new Set(namesOf(seen)))
})

test('a request that cannot be answered is refused before the first line', async () => {
  const refused = async (path: string, headers: Record<string, string> = lines) => {
    const response = await system.get(path, headers)
    return [response.status, (await problemIn(response)).code]
  }
  expect(await refused('/events?topic=a.*&after=7')).toEqual([422, 'invalid_parameters'])
  const { rows } = await system.store.pool.query("SELECT id FROM topics WHERE name = 'big'")
  const foreign = `${rows[0].id.toString(36)}.1`
  for (const headers of [{}, lines]) {
    // Of another log: no restore of this one has begun such an epoch, and it has no such topic.
    for (const query of [
      'orders.us&after=2.300',
      'orders.us&before=2.300',
      'orders.none&after=2.1',
      'orders.us&source=shop&after=2.300',
      'orders.*&after=zzz.1',
      'orders.*&after=orders.us:2.300',
      'orders.*&after=orders.none:2.1',
    ])
      expect(await refused(`/events?topic=${query}`, headers)).toEqual([422, 'cursor_ahead'])
    // Behind the end there is nothing yet. After a failover to a standby that was behind, the same log is written once more.
    for (const query of [
      'orders.us&after=301',
      'orders.none&after=1',
      'orders.us&source=shop&after=301',
      'orders.*&after=orders.us:301,orders.eu:700',
      'orders.*&after=orders.none:1,orders.us:300,orders.eu:700',
    ]) {
      const response = await system.get(`/events?topic=${query}`, headers)
      expect([query, response.status, read(await response.text()).flat()]).toEqual([query, 200, []])
      expect(response.headers.get('link')).toBeNull()
    }
    for (const path of ['after', 'before']) {
      const response = await system.get(`/events?topic=orders.*&${path}=${foreign}`, headers)
      expect(await problemIn(response)).toMatchObject({ errors: [{ path, code: `invalid_${path}` }] })
    }
    for (const query of ['orders.us&after=300', 'orders.none&after=0', 'orders.*&after=orders.us:300'])
      expect((await system.get(`/events?topic=${query}&limit=1`, headers)).status).toBe(200)
  }
  expect(await refused('/events', { Accept: 'text/html' })).toEqual([406, 'not_acceptable'])
  await system.store.pool.query(
    `INSERT INTO topics (name) SELECT 'many.' || n FROM generate_series(1, 501) n`,
  )
  for (const headers of [{}, lines]) {
    const response = await system.get('/events?topic=many.*', headers)
    expect([response.status, (await problemIn(response)).code]).toEqual([422, 'too_many_topics'])
  }
})
