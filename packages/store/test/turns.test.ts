/** Turns: one at a time of a topic, several topics in one transaction. */
import type { TopicName } from '@sekali/core/event'
import { ownStore } from '@sekali/testkit/own'
import { at, event } from '@sekali/testkit/sample'
import { accountFor, withTurn } from '@sekali/testkit/store-events'
import { expect, test, vi } from 'vitest'
import { readTopic } from '../src/read/topic.ts'
import { type BatchCounts, commitBatches } from '../src/turn/commit.ts'
import type { Received } from '../src/turn/copy.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'
import { type Turn, withTurns } from '../src/turn/turn.ts'
import { commit, counted, orders, received } from './commit.ts'

test('a turn is exclusive: whoever comes second finds it taken, and does not wait [P2]', async () => {
  await using store = await ownStore()
  await ensureTopics(store, [orders, 'other' as TopicName])
  const topicOf = async (_: unknown, { topic }: Turn) => topic
  await withTurn(store, [orders], async () => {
    expect(await withTurn(store, [orders], topicOf)).toBeUndefined()
    expect(await withTurn(store, [orders, 'other' as TopicName], topicOf)).toBe('other')
  })
  expect(await withTurn(store, ['other' as TopicName, orders], topicOf)).toBe('other')
})

test('topics that are there use up no ids, however often they are asked for', async () => {
  await using store = await ownStore()
  for (let time = 1; time <= 5; time++) await ensureTopics(store, [orders])
  await ensureTopics(store, ['other' as TopicName, orders])
  const idOf = async (_: unknown, { topicId }: Turn) => topicId
  expect(await withTurn(store, ['other' as TopicName], idOf)).toBe(2)
})

test('turns of several topics are committed together: each topic is numbered, and told known from new, by itself [P5]', async () => {
  await using store = await ownStore()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => name as TopicName) as [TopicName, TopicName, TopicName]
  for (const topic of [a, b, c]) await commit(store, received('known'), topic)
  await commit(store, received('older'), b) // so that their heads differ
  const other = {
    ...received('known')[0],
    event: event({ eventId: 'known', payload: '"other"' }),
  } as Received
  const batches = [received('known', 'x', 'y'), [other, ...received('x', 'z', 'x')], received('x')]
  const give = () =>
    withTurn(store, [c], async () =>
      withTurns(store, [a, c, b], 3, async (tx, turns) => {
        expect(turns.map(({ topic }) => topic)).toEqual([a, b]) // somebody has c
        const outcomes = await commitBatches(
          tx,
          turns.map((turn, index) => ({ turn, received: batches[index] as Received[] })),
        )
        for (const [index, turn] of turns.entries()) accountFor(tx, turn, outcomes[index] as BatchCounts)
        return outcomes.map(counted)
      }),
    )
  expect(await give()).toEqual([
    { stored: 2, duplicates: 1, conflicts: 0 },
    { stored: 2, duplicates: 1, conflicts: 1 },
  ])
  const numbers = async (topic: TopicName) =>
    (await readTopic(store, { topic, after: at(0), limit: 10 })).events.map(
      ({ seq, eventId }) => `${seq}${eventId}`,
    )
  expect(await Promise.all([a, b, c].map(numbers))).toEqual([
    ['1known', '2x', '3y'],
    ['1known', '2older', '3x', '4z'],
    ['1known'],
  ])
})

test('turns of several topics are taken for new together, and told apart when one of them has a repeat [P5]', async () => {
  await using store = await ownStore()
  const topics = ['a', 'b', 'c'].map((name) => name as TopicName)
  const hundred = (from: number) => received(...Array.from({ length: 100 }, (_, index) => `${from + index}`))
  // Of different lengths, so that a topic's numbers are not another's.
  for (const [at, topic] of topics.entries())
    for (let round = 0; round <= at; round++) await commit(store, hundred(100 * round), topic)
  const share = (...batches: Received[][]) =>
    withTurns(store, topics, 3, async (tx, turns) => {
      using query = vi.spyOn(tx.$client, 'query')
      const outcomes = await commitBatches(
        tx,
        turns.map((turn, at) => ({ turn, received: batches[at] as Received[] })),
      )
      for (const [at, turn] of turns.entries()) accountFor(tx, turn, outcomes[at] as BatchCounts)
      const lookUp = query.mock.calls.findIndex(([sent]) => (sent as { name?: string }).name === 'find_known')
      const way = lookUp === -1 ? 'guessed' : lookUp === 0 ? 'looked up' : 'guessed, then looked up'
      return { way, tally: outcomes.map((outcome) => Object.values(counted(outcome))) }
    })
  const two = received('x', 'y')
  expect(await share(two, received('x'), two)).toEqual({
    way: 'guessed',
    tally: [
      [2, 0, 0],
      [1, 0, 0],
      [2, 0, 0],
    ],
  })
  expect(await share(received('z'), received('v', 'x', 'w'), received('z'))).toEqual({
    way: 'guessed, then looked up',
    tally: [
      [1, 0, 0],
      [2, 1, 0],
      [1, 0, 0],
    ],
  })
  const numbers = async (topic: TopicName, after: number) =>
    (await readTopic(store, { topic, after: at(after), limit: 10 })).events.map(
      ({ seq, eventId }) => `${seq}${eventId}`,
    )
  expect(await Promise.all(topics.map((topic, at) => numbers(topic, 100 * (at + 1))))).toEqual([
    ['101x', '102y', '103z'],
    ['201x', '202v', '203w'],
    ['301x', '302y', '303z'],
  ])
})
