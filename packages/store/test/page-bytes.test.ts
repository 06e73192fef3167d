/** How many bytes a page has, and reads, when payloads are large. */
import type { StoredEvent } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import { ownStore } from '@sekali/testkit/own'
import { at } from '@sekali/testkit/sample'
import { expect, test, vi } from 'vitest'
import { sql } from '../src/postgres/drizzle.ts'
import { searchEvents } from '../src/read/search.ts'
import { compressedOf, readNewest, readTopic } from '../src/read/topic.ts'
import { fill } from './search-log.ts'

test('a page ends before its payloads are too many bytes, and goes on after them', async () => {
  await using own = await ownStore()
  await own.db.execute(fill('large', 40))
  await own.db.execute(sql`UPDATE events SET payload = json_build_object('x', repeat('x', 250000))`)
  const seqsOf = (events: readonly StoredEvent[]) => events.map(({ seq }) => seq)
  const first = await readTopic(own, { topic: 'large', after: at(0), limit: 1_000 })
  expect([first.events.length, first.more]).toEqual([9, true])
  const queries = vi.spyOn(own.pool, 'query')
  const rest = await readTopic(own, { topic: 'large', after: at(9), limit: 1_000 })
  expect(seqsOf(rest.events)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18])
  expect(queries).toHaveBeenCalledOnce() // the page before had told that it needs to be added up
  // Behind the end there is nothing yet: the log may be on its way there.
  expect(await readTopic(own, { topic: 'large', after: at(41), limit: 1 })).toEqual({
    events: [],
    more: false,
  })
  const newest = await readNewest(own, 1_000)
  expect(seqsOf(newest)).toEqual([40, 39, 38, 37, 36, 35, 34, 33, 32])
  const found = await searchEvents(own, {
    topics: parsePattern('*'),
    order: 'desc',
    limit: 1_000,
    source: 'third',
  })
  expect(seqsOf(found.events)).toEqual([39, 36, 33, 30, 27, 24, 21, 18, 15])
  expect([...(found.next?.values() ?? [])]).toEqual([at(13)])

  await own.db.execute(fill('medium', 100))
  await own.db.execute(sql`
    UPDATE events SET payload = json_build_object('x', repeat('x', 1500))
    WHERE topic_id = (SELECT id FROM topics WHERE name = 'medium')`)
  const part = await readTopic(own, { topic: 'medium', after: at(0), limit: 100, bytesMax: 65_536 })
  expect([part.events.length, part.more]).toEqual([44, true])
  expect(compressedOf(own)).toEqual(new Set(['large'])) // what does not fit one reader says nothing to others
})

test('a page reads no payload that does not fit', async () => {
  await using own = await ownStore()
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
  const [few, blocksOfFew] = await blocksOf(() => readTopic(own, { topic: 'large', after: at(0), limit: 8 }))
  const [many, blocks] = await blocksOf(() => readTopic(own, { topic: 'large', after: at(0), limit: 1_000 }))
  expect([few, many]).toEqual([8, 9])
  expect(blocksOfFew).toBeGreaterThan(0)
  expect(blocks).toBeLessThan(1.5 * blocksOfFew)
  const search = { topics: parsePattern('>'), order: 'desc', limit: 1_000 } as const
  const [found, blocksOfFound] = await blocksOf(() => searchEvents(own, search))
  expect(found).toBe(9)
  expect(blocksOfFound).toBeLessThan(1.5 * blocksOfFew)
})
