/** What a consumer that starts reads of all topics, of which PostgreSQL sends hundreds in one row. */
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readLogStandings, readStandings } from '../src/turn/standing.ts'

test('standings of more topics than a row holds are those of each that has a stream, or a log', async () => {
  await using store = await ownStore()
  expect(await readStandings(store)).toEqual(new Map())
  expect(await readLogStandings(store)).toEqual([])
  await store.pool.query(`
    INSERT INTO topics (name, head, epoch, position, accounted, stream_group, history, retired)
    SELECT 't' || n, n, 1 + n / 600, n || '-1', n + 1, CASE WHEN n <> 5 THEN 'g ' || n END,
      CASE WHEN n <> 6 THEN 'h' END, n = 7
    FROM generate_series(0, 600) n`)
  const standings = await readStandings(store)
  expect(standings.size).toBe(599)
  expect(standings.has('t6' as never)).toBe(false) // nobody has had a turn of it
  expect(standings.has('t7' as never)).toBe(false) // its stream is retired
  expect(standings.get('t8' as never)).toBe('8-1')
  const logs = await readLogStandings(store)
  expect(logs.length).toBe(600)
  const of = (name: string) => logs.find(({ topic }) => topic === name)
  expect(of('t0')).toBeUndefined() // it has no event
  expect(of('t5')).toMatchObject({ group: null })
  const row = {
    topicId: 601,
    topic: 't600',
    head: 600,
    epoch: 2,
    position: '600-1',
    accounted: 601,
    group: 'g 600',
  }
  expect(of('t600')).toEqual(row)
})
