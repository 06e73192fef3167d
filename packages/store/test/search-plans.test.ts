/** The plans of searches and pages: indexes serve them. */
import { parsePattern } from '@sekali/core/pattern'
import { ownStore } from '@sekali/testkit/own'
import { at } from '@sekali/testkit/sample'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { drizzle, sql } from '../src/postgres/drizzle.ts'
import { searchEvents } from '../src/read/search.ts'
import { readNewest, readTopic } from '../src/read/topic.ts'
import { ownLog, searches, sizes } from './search-log.ts'

let store: Awaited<ReturnType<typeof ownLog>>
beforeAll(async () => {
  store = await ownLog()
})
afterAll(() => store[Symbol.asyncDispose]())

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
  [{ topic: 'log.big', after: at(0) }],
  [{ topic: 'log.big', after: at(5_000), before: at(11_000) }],
  [{ topic: 'log.big' }],
  [{ topic: 'log.big', before: at(5_000) }],
  [{ topic: 'log.big', before: at(Number.MAX_SAFE_INTEGER) }],
  [{ topic: 'log.big', after: at(10), before: at(5_000), order: 'desc' }],
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
  await using own = await ownStore()
  await own.db.execute(
    sql`INSERT INTO topics (name) SELECT 'many.' || n || '.x' FROM generate_series(1, 5000) n`,
  )
  await own.db.execute(sql`ANALYZE topics`)
  const { rows } = await own.db.execute<{ 'QUERY PLAN': string }>(
    sql`EXPLAIN SELECT id, name, head FROM topics WHERE name ~ ${parsePattern('many.77.*').regExp.source} LIMIT 501`,
  )
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('topics_name_index')
})
