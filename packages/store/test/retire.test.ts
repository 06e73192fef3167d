import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { readHeads } from '../src/read/heads.ts'
import { digestOf, readOutcomes } from '../src/read/outcomes.ts'
import { retire } from '../src/turn/retire.ts'
import { readStandings } from '../src/turn/standing.ts'
import { withTurns } from '../src/turn/turn.ts'

const topic = 'orders' as TopicName

test('what is appended after a stream was retired is queued until it is stored, wherever clocks stand', async () => {
  await using store = await ownStore()
  await storeEvents(store, [event({ eventId: 'e1' })])
  await store.pool.query("UPDATE topics SET position = '99999-0', history = 'h'")
  expect([...(await readStandings(store))]).toEqual([[topic, '99999-0']])
  await withTurns(store, [topic], 1, async (tx, turns) => retire(tx, turns))
  const sent = { ...event({ eventId: 'e2' }), position: '5-0' as Position, digest: digestOf('{}') }
  expect(await readOutcomes(store, [sent])).toEqual([{ status: 'queued' }])
  expect(await readHeads(store, [topic])).toMatchObject([{ head: 1, position: '0-0' }])
  expect((await readStandings(store)).size).toBe(0)
})
