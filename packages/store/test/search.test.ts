/** What a search finds is compared with filtering and merging everything in memory. */
import type { Cursor } from '@sekali/core/cursor'
import type { StoredEvent } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import { ownStore } from '@sekali/testkit/own'
import { at } from '@sekali/testkit/sample'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '../src/postgres/drizzle.ts'
import { boundReplay, type Replay, readPart } from '../src/read/replay.ts'
import { type Search, searchEvents } from '../src/read/search.ts'
import { fill, ownLog, searches, sizes } from './search-log.ts'

let store: Awaited<ReturnType<typeof ownLog>>
let all: StoredEvent[]
beforeAll(async () => {
  store = await ownLog()
  all = []
  for (const topic of Object.keys(sizes)) {
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
  await using own = await ownStore()
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
  const down = await searchEvents(own, { topics, order: 'desc', limit: 1_000, before: newest.next ?? at(0) })
  const up = await searchEvents(own, { topics, order: 'asc', limit: 1_000, after: oldest.next ?? at(0) })
  expect([...newest.events, ...down.events].map(({ topic }) => topic)).not.toContain('log.late')
  expect(new Set(namesOf([...newest.events, ...down.events])).size).toBe(25)
  expect(newest.events.length + down.events.length).toBe(25)
  expect(new Set(namesOf([...oldest.events, ...up.events])).size).toBe(25 + 3 + 3)
  expect(oldest.events.length + up.events.length).toBe(25 + 3 + 3)
  expect(up.next).toBeUndefined()
})

test('more topics than a cursor can hold are refused', async () => {
  await using own = await ownStore()
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
