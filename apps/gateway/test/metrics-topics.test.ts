import { expect, test } from 'vitest'
import { type TopicNow, type TopicSamples, topicSamples, topicsNow } from '../src/metrics/topics.ts'
import { longestWait } from '../src/operate/oldest.ts'

const topic = (name: string, differs: Partial<TopicNow> = {}): TopicNow => ({
  topic: name,
  head: 10,
  inFlight: 0,
  oldestSeconds: 0,
  ...differs,
})

const flat = (samples: TopicSamples['head']) =>
  Object.fromEntries(samples.map(({ labels, value }) => [labels?.topic, value]))

test('so many topics have series of their own, those with most in flight first, and the others one together', async () => {
  const topics = [
    topic('quiet'),
    topic('busy', { inFlight: 5, oldestSeconds: 2 }),
    topic('large', { head: 100 }),
    topic('small', { head: 1, inFlight: 1, oldestSeconds: 7 }),
    topic('tiny', { head: 2 }),
  ]
  const { head, inFlight, oldestSeconds } = await topicSamples(topics, 2)
  expect(flat(inFlight)).toEqual({ busy: 5, small: 1, _other: 0 })
  expect(flat(head)).toEqual({ busy: 10, small: 1, _other: 112 })
  expect(flat(oldestSeconds)).toEqual({ busy: 2, small: 7, _other: 0 })
  expect(flat((await topicSamples(topics, 1)).oldestSeconds)).toEqual({ busy: 2, _other: 7 })
  expect(flat((await topicSamples(topics, 5)).inFlight)).not.toHaveProperty('_other')
  expect(flat((await topicSamples(topics, 0)).inFlight)).toEqual({ _other: 6 })
})

test('a topic that is called _other is one of the others: a series must not be there twice', async () => {
  const topics = [topic('_other', { inFlight: 9 }), topic('a', { inFlight: 2 }), topic('b', { inFlight: 1 })]
  const { inFlight } = await topicSamples(topics, 1)
  expect(inFlight).toHaveLength(2)
  expect(flat(inFlight)).toEqual({ a: 2, _other: 10 })
})

test('what is unknown of one of the others is unknown of them together, and never 0', async () => {
  const topics = [
    topic('a', { inFlight: 3 }),
    topic('b', { inFlight: null, oldestSeconds: null }),
    topic('c'),
  ]
  const { inFlight, oldestSeconds, head } = await topicSamples(topics, 1)
  expect(flat(inFlight)).toEqual({ a: 3, _other: null })
  expect(flat(oldestSeconds)).toEqual({ a: 0, _other: null })
  expect(flat(head)).toEqual({ a: 10, _other: 20 })
})

test('the age of a topic is 0 with nothing in flight, and unknown if Redis could not be asked', async () => {
  const figures = { accepted: 5, stored: 3, duplicates: 0, conflicts: 0, dead: 0, lost: 0, lossAt: null }
  const topics = [
    { ...figures, topic: 'waits', inFlight: 2, headSeq: 3 },
    { ...figures, topic: 'level', inFlight: 0, headSeq: 3 },
    { ...figures, topic: 'unknown', inFlight: null, headSeq: 3 },
  ]
  const ages = async (oldest: ReadonlyMap<string, number> | undefined, nowMs: number | undefined) =>
    (await topicsNow(topics, { oldest, nowMs })).map(({ oldestSeconds }) => oldestSeconds)
  expect(await ages(new Map([['waits', 4_000]]), 10_500)).toEqual([6.5, 0, null])
  expect(await ages(undefined, 10_500)).toEqual([null, null, null])
  expect(await ages(new Map(), undefined)).toEqual([null, null, null])
  const waits = { oldest: new Map([['waits', 4_000]]), nowMs: 10_500 }
  expect([longestWait(topics.slice(0, 2), waits), longestWait(topics, waits)]).toEqual([6.5, null])
})

test('thousands of topics are gone through in portions, between which the event loop goes round', async () => {
  const topics = Array.from({ length: 3_000 }, (_, n) => topic(`t${n}`, { head: (n * 7_919) % 3_000 }))
  let rounds = 0
  let isOver = false
  const count = () => {
    rounds += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const { head } = await topicSamples(topics, 100)
  isOver = true
  expect(rounds).toBeGreaterThanOrEqual(10)
  expect(head.slice(0, 3).map(({ value }) => value)).toEqual([2_999, 2_998, 2_997])
  expect(head.slice(0, 100).map(({ value }) => value)).toEqual(
    Array.from({ length: 100 }, (_, n) => 2_999 - n),
  )
  expect(head).toHaveLength(101)
  expect(head.at(-1)).toEqual({ labels: { topic: '_other' }, value: (2_899 * 2_900) / 2 })
})
