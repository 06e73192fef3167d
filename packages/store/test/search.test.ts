/** Searching is compared with filtering and merging everything in memory, and its plans are read. */
import type { Cursor } from '@sekali/core/cursor'
import type { StoredEvent, TopicName } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import { ownStore } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { drizzle, sql } from '../src/postgres/drizzle.ts'
import { boundReplay, type Replay, readPart } from '../src/read/replay.ts'
import { type Search, searchEvents } from '../src/read/search.ts'
import { summarizeSpans } from '../src/read/spans.ts'
import { compressedOf, readNewest, readTopic } from '../src/read/topic.ts'

const sizes = { 'log.big': 12_000, 'log.small': 700, 'log.one': 1, other: 2_500 }

/** Times run on with the seq, but for every 997th, which is far back, and a clock that steps back now and then. */
const fill = (topic: string, size: number) => sql`
  WITH t AS (INSERT INTO topics (name, head) VALUES (${topic}, ${size}) RETURNING id)
  INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, stored_at)
  SELECT t.id, n, 'e' || n,
    CASE WHEN n BETWEEN 8000 AND 8010 THEN 'rare' WHEN n % 3 = 0 THEN 'third' ELSE 'common' END,
    json_build_object('n', n),
    '2025-01-01Z'::timestamptz + n * interval '1 second' - CASE WHEN n % 997 = 0 THEN interval '9 years' ELSE '0' END,
    '2025-06-01Z'::timestamptz + n * interval '1 second' - CASE WHEN n > 6000 THEN interval '1 hour' ELSE '0' END,
    '2025-06-02Z'::timestamptz + (n / 10) * interval '10 second' - (n % 400 / 100) * interval '20 second'
  FROM t, generate_series(1, ${size}::int) n`

let store: Store & AsyncDisposable
let all: StoredEvent[]
beforeAll(async () => {
  store = await ownStore(inject('postgresUrl'))
  for (const [topic, size] of Object.entries(sizes)) await store.db.execute(fill(topic, size))
  const names = Object.keys(sizes) as TopicName[]
  // Not all: the last spans of the big topic are searched without a summary.
  for (const topic of names) await summarizeSpans(store, topic, 9)
  all = []
  for (const topic of names) {
    all.push(...(await replayAll({ topics: parsePattern(topic), order: 'asc' })))
  }
})
afterAll(() => store[Symbol.asyncDispose]())

/** Follows the cursors from page to page. */
async function searchAll(search: Search): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  for (let place: Cursor | undefined, page = 1; ; page++) {
    const at = place === undefined ? {} : { [search.order === 'asc' ? 'after' : 'before']: place }
    const { events, next } = await searchEvents(store, { ...search, ...at })
    expect(events.length).toBeLessThanOrEqual(search.limit)
    found.push(...events)
    if (next === undefined) return found
    if (page > 500) throw new Error('no end')
    place = next
  }
}

/** Goes from part to part, and takes of each only so much. */
async function replayAll(replay: Replay, share = 1): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  for (let rest: Replay | undefined = await boundReplay(store, replay); rest !== undefined; ) {
    const part = await readPart(store, rest, 10_000)
    const taken = Math.ceil(share * part.events.length)
    found.push(...part.events.slice(0, taken))
    rest = part.rest(taken)
  }
  return found
}

/** The same by brute force. */
function expected({ topics, source, from = '', to = '~', by = 'timestamp', order }: Search): StoredEvent[] {
  const lanes = Object.keys(sizes)
    .filter((topic) => topics.regExp.test(topic))
    .sort()
    .map((topic) =>
      all
        .filter((event) => event.topic === topic && (source === undefined || event.source === source))
        .filter((event) => {
          const time = by === 'timestamp' ? event.timestamp : event.receivedAt
          return time >= from && time < to
        })
        .sort((a, b) => (order === 'asc' ? a.seq - b.seq : b.seq - a.seq)),
    )
  const merged: StoredEvent[] = []
  for (;;) {
    const open = lanes.filter((lane) => lane.length > 0)
    if (open.length === 0) return merged
    const at = (lane: StoredEvent[]) => lane[0]?.storedAt ?? ''
    const first = open.reduce((a, b) => (at(a) === at(b) || at(a) < at(b) === (order === 'asc') ? a : b))
    merged.push(first.shift() as StoredEvent)
  }
}

const namesOf = (events: readonly StoredEvent[]) => events.map(({ topic, seq }) => `${topic}:${seq}`)

const searches: [string, Partial<Search> & { topic: string }][] = [
  ['one topic', { topic: 'log.small' }],
  ['a pattern', { topic: 'log.*' }],
  ['everything', { topic: '>' }],
  ['a source', { topic: 'log.big', source: 'third' }],
  ['a rare source', { topic: 'log.big', source: 'rare' }],
  ['a source of a pattern', { topic: '>', source: 'rare' }],
  ['nobody', { topic: '>', source: 'nobody' }],
  ['a day', { topic: 'log.big', from: '2025-01-01T01:00:00.000000Z', to: '2025-01-01T01:10:00.000000Z' }],
  ['long ago', { topic: '>', to: '2016-01-01T00:20:00.000000Z' }],
  [
    'received when the clock stepped back',
    {
      topic: 'log.big',
      by: 'received_at',
      from: '2025-06-01T01:00:00.000000Z',
      to: '2025-06-01T01:05:00.000000Z',
    },
  ],
  [
    'a source and a time of a pattern',
    { topic: 'log.>', source: 'common', from: '2025-01-01T03:00:00.000000Z' },
  ],
  ['a topic that is not there', { topic: 'none' }],
]

test.each(searches)(
  '%s is found whole and in order, ascending and descending, in pages of any size [P5]',
  async (_, { topic, ...rest }) => {
    for (const order of ['asc', 'desc'] as const) {
      for (const limit of [1_000, 333]) {
        const search: Search = { topics: parsePattern(topic), order, limit, ...rest }
        expect(namesOf(await searchAll(search))).toEqual(namesOf(expected(search)))
      }
      const replay = { topics: parsePattern(topic), order, ...rest }
      expect(namesOf(await replayAll(replay, 0.7))).toEqual(namesOf(expected({ ...replay, limit: 1 })))
      expect((await replayAll({ ...replay, limit: 1_001 }, 0.7)).length).toBeLessThan(1_002)
    }
  },
)

test('a page goes on where the one before ended, whatever was written in between [P5]', async () => {
  await using own = await ownStore(inject('postgresUrl'))
  await own.db.execute(fill('log.a', 20))
  await own.db.execute(fill('log.b', 5))
  const topics = parsePattern('log.*')
  const newest = await searchEvents(own, { topics, order: 'desc', limit: 4 })
  const oldest = await searchEvents(own, { topics, order: 'asc', limit: 4 })
  await own.db.execute(fill('log.late', 3))
  await own.db.execute(sql`
    WITH t AS (UPDATE topics SET head = head + 1 RETURNING id, head)
    INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, stored_at)
    SELECT id, head, 'late', 's', '{}', '2025-01-01Z', '2025-01-01Z', '2025-01-01Z' FROM t`)
  const down = await searchEvents(own, { topics, order: 'desc', limit: 1_000, before: newest.next ?? 0 })
  const up = await searchEvents(own, { topics, order: 'asc', limit: 1_000, after: oldest.next ?? 0 })
  expect([...newest.events, ...down.events].map(({ topic }) => topic)).not.toContain('log.late')
  expect(new Set(namesOf([...newest.events, ...down.events])).size).toBe(25)
  expect(newest.events.length + down.events.length).toBe(25)
  expect(new Set(namesOf([...oldest.events, ...up.events])).size).toBe(25 + 3 + 3)
  expect(oldest.events.length + up.events.length).toBe(25 + 3 + 3)
  expect(up.next).toBeUndefined()
})

test('a page ends before its payloads are too many bytes, and goes on after them', async () => {
  await using own = await ownStore(inject('postgresUrl'))
  await own.db.execute(fill('large', 40))
  await own.db.execute(sql`UPDATE events SET payload = json_build_object('x', repeat('x', 250000))`)
  const seqsOf = (events: readonly StoredEvent[]) => events.map(({ seq }) => seq)
  const first = await readTopic(own, { topic: 'large', after: 0, limit: 1_000 })
  expect([first.events.length, first.more]).toEqual([9, true])
  const queries = vi.spyOn(own.pool, 'query')
  const rest = await readTopic(own, { topic: 'large', after: 9, limit: 1_000 })
  expect(seqsOf(rest.events)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18])
  expect(queries).toHaveBeenCalledOnce() // the page before had told that it needs to be added up
  const ahead = { code: 'cursor_ahead' }
  await expect(readTopic(own, { topic: 'large', after: 41, limit: 1 })).rejects.toMatchObject(ahead)
  const newest = await readNewest(own, 1_000)
  expect(seqsOf(newest)).toEqual([40, 39, 38, 37, 36, 35, 34, 33, 32])
  const found = await searchEvents(own, {
    topics: parsePattern('*'),
    order: 'desc',
    limit: 1_000,
    source: 'third',
  })
  expect(seqsOf(found.events)).toEqual([39, 36, 33, 30, 27, 24, 21, 18, 15])
  expect([...(found.next?.values() ?? [])]).toEqual([13])

  await own.db.execute(fill('medium', 100))
  await own.db.execute(sql`
    UPDATE events SET payload = json_build_object('x', repeat('x', 1500))
    WHERE topic_id = (SELECT id FROM topics WHERE name = 'medium')`)
  const part = await readTopic(own, { topic: 'medium', after: 0, limit: 100, bytesMax: 65_536 })
  expect([part.events.length, part.more]).toEqual([44, true])
  expect(compressedOf(own)).toEqual(new Set(['large'])) // what does not fit one reader says nothing to others
})

test('a page reads no payload that does not fit', async () => {
  await using own = await ownStore(inject('postgresUrl'))
  await own.db.execute(fill('large', 100))
  await own.db.execute(sql`
    UPDATE events SET payload = to_json((SELECT string_agg(md5(n::text), '') FROM generate_series(1, 7500) n))`)
  /** Blocks in which large payloads lie. Statistics are of a connection until it says them. */
  const blocksOf = async (read: () => Promise<{ readonly events: readonly StoredEvent[] }>) => {
    const count = async () => {
      await own.pool.query('SELECT pg_stat_force_next_flush()')
      const { rows } = await own.pool.query<{ blocks: string }>(
        "SELECT toast_blks_hit + toast_blks_read AS blocks FROM pg_statio_user_tables WHERE relname = 'events'",
      )
      return Number(rows[0]?.blocks)
    }
    const before = await count()
    const { events } = await read()
    return [events.length, (await count()) - before] as const
  }
  const [few, blocksOfFew] = await blocksOf(() => readTopic(own, { topic: 'large', after: 0, limit: 8 }))
  const [many, blocks] = await blocksOf(() => readTopic(own, { topic: 'large', after: 0, limit: 1_000 }))
  expect([few, many]).toEqual([8, 9])
  expect(blocksOfFew).toBeGreaterThan(0)
  expect(blocks).toBeLessThan(1.5 * blocksOfFew)
  const search = { topics: parsePattern('>'), order: 'desc', limit: 1_000 } as const
  const [found, blocksOfFound] = await blocksOf(() => searchEvents(own, search))
  expect(found).toBe(9)
  expect(blocksOfFound).toBeLessThan(1.5 * blocksOfFew)
})

test('more topics than a cursor can hold are refused', async () => {
  await using own = await ownStore(inject('postgresUrl'))
  await own.db.execute(sql`INSERT INTO topics (name) SELECT 'many.' || n FROM generate_series(1, 501) n`)
  const search = { order: 'asc', limit: 1 } as const
  await expect(searchEvents(own, { ...search, topics: parsePattern('many.*') })).rejects.toMatchObject({
    code: 'too_many_topics',
  })
  expect(await searchEvents(own, { ...search, topics: parsePattern('many.1') })).toMatchObject({
    events: [],
    next: undefined,
  })
})

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** The scans of tables in the plans of all statements that `work` makes on the store that it is given. */
async function scansOf(work: (store: Store) => Promise<unknown>): Promise<PlanNode[]> {
  const scans: PlanNode[] = []
  const collect = (node: PlanNode) => {
    if (node['Relation Name'] !== undefined) scans.push(node)
    for (const child of node.Plans ?? []) collect(child)
  }
  const query = async (statement: { text: string; values?: unknown[] }, values = statement.values) => {
    const { rows } = await store.pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${statement.text}`,
      values,
    )
    for (const row of rows) collect(row['QUERY PLAN'][0].Plan)
    return await store.pool.query(statement, values)
  }
  const pool: Store['pool'] = Object.assign(Object.create(store.pool), { query })
  await work({ ...store, pool, db: drizzle(pool) })
  return scans
}

test.each(
  searches.flatMap(([name, search]) =>
    (['asc', 'desc'] as const).map((order) => [`${name}, ${order}`, { ...search, order }] as const),
  ),
)('%s is served by indexes, which read little more than the page', async (_, { topic, ...rest }) => {
  const scans = await scansOf((spied) =>
    searchEvents(spied, { topics: parsePattern(topic), limit: 20, ...rest }),
  )
  const indexes: Record<string, string> = {
    events: 'events_topic_id_seq_pk',
    spans: 'spans_topic_id_span_pk',
  }
  let rows = 0
  for (const scan of scans) {
    const table = scan['Relation Name'] ?? ''
    // A handful of topics is read whole.
    if (table === 'topics') continue
    expect([table, scan['Node Type']]).toEqual([table, expect.stringMatching(/^Index|^Bitmap/)])
    if (scan['Index Name'] !== undefined) expect(scan['Index Name']).toBe(indexes[table])
    rows += (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops']
  }
  // The spans without a summary are 4,700 events.
  expect(rows).toBeLessThan(7_500)
})

test.each([
  [{ topic: 'log.big', after: 0 }],
  [{ topic: 'log.big', after: 5_000, before: 11_000 }],
  [{ topic: 'log.big' }],
  [{ topic: 'log.big', before: 5_000 }],
  [{ topic: 'log.big', before: Number.MAX_SAFE_INTEGER }],
  [{ topic: 'log.big', after: 10, before: 5_000, order: 'desc' }],
  [{}],
] as const)('a plain page %j reads its rows and no others', async (query) => {
  const scans = await scansOf(async (spied) => {
    const limit = 20
    const events =
      'topic' in query ? (await readTopic(spied, { ...query, limit })).events : await readNewest(spied, limit)
    expect(events.length).toBe(limit)
  })
  const ofLog = scans.filter((scan) => scan['Relation Name'] === 'events')
  expect(ofLog).not.toEqual([])
  expect(ofLog.map((scan) => scan['Node Type'])).not.toContain('Seq Scan')
  const rows = ofLog.map(
    (scan) => (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops'],
  )
  const topics = 'topic' in query ? 1 : Object.keys(sizes).length
  expect(Math.max(...rows)).toBeLessThanOrEqual(21 * topics)
})

test('of many topics, those of a pattern are found by an index', async () => {
  await using own = await ownStore(inject('postgresUrl'))
  await own.db.execute(
    sql`INSERT INTO topics (name) SELECT 'many.' || n || '.x' FROM generate_series(1, 5000) n`,
  )
  await own.db.execute(sql`ANALYZE topics`)
  const { rows } = await own.db.execute<{ 'QUERY PLAN': string }>(
    sql`EXPLAIN SELECT id, name, head FROM topics WHERE name ~ ${parsePattern('many.77.*').regExp.source} LIMIT 501`,
  )
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('topics_name_index')
})
