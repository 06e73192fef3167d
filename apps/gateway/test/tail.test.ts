/** What a tail is sent, and from which cursor it resumes. */
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { ownTails, seqsOf } from './own-tails.ts'
import type { OpenTail } from './sse.ts'

test('history runs into live, every id is a cursor to resume from, and EventSource would understand it [P5]', async () => {
  await using own = await ownTails()
  await own.append('orders', 1, 300)
  await own.append('orders', 301, 301, {
    payload: '{\n  "text": "a\\nb",\r\n  "big": 9007199254740993.10\n}',
  })
  await own.stored('orders', 301)
  using tail = own.tail('topic=orders&from=start')
  const { statusCode, headers } = await tail.answered
  expect(statusCode).toBe(200)
  expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  await eventually(() => expect(tail.told.length).toBe(301))
  await own.append('orders', 302, 400)
  await eventually(() => expect(seqsOf(tail)).toEqual(upTo(400)))
  expect(tail.told.map(({ id }) => id)).toEqual(upTo(400).map(String))
  expect(tail.text).toMatch(/^retry: 1000\nid: 1\ndata: \{"topic":"orders",/)
  expect(tail.text).toContain('"payload":{   "text": "a\\nb",    "big": 9007199254740993.10 },"seq":301')
  expect(tail.told[300]?.data).toMatchObject({ event_id: 'orders-301', payload: { text: 'a\nb' } })

  using byHeader = own.tail('topic=orders&from=start&last_event_id=7', { 'Last-Event-ID': '390' })
  using byQuery = own.tail('topic=orders&from=start&last_event_id=395')
  using bySeq = own.tail('topic=orders&from=397')
  using now = own.tail('topic=orders')
  await eventually(() => {
    expect(seqsOf(byHeader)).toEqual(upTo(400, 391))
    expect(seqsOf(byQuery)).toEqual(upTo(400, 396))
    expect(seqsOf(bySeq)).toEqual(upTo(400, 398))
    expect(now.lastId).toBe('400') // before it has seen any event, so that nothing is missed if it breaks here
  })
  await own.append('orders', 401, 410)
  await eventually(() => {
    expect(seqsOf(now)).toEqual(upTo(410, 401))
    expect(seqsOf(byHeader)).toEqual(upTo(410, 391))
  })
})

test('a pattern brings each topic by seq, new ones from their first event, and resumes by one opaque id [P5]', async () => {
  await using own = await ownTails({ lingerMs: 200, tickMs: 20 })
  await own.append('a.x', 1, 50)
  await own.append('a.y', 1, 50)
  await own.append('b.x', 1, 5)
  await own.stored('a.x', 50)
  await own.stored('a.y', 50)
  using all = own.tail('topic=a.>&from=start')
  await eventually(() => expect(all.told.length).toBe(100))
  using now = own.tail('topic=a.>')
  await now.answered
  await own.append('a.new.one', 1, 3)
  await own.append('a.x', 51, 60)
  await eventually(() => {
    expect(all.told.length).toBe(113)
    expect(now.told.length).toBe(13)
  })
  const log = all.told
  for (const [topic, last] of [
    ['a.x', 60],
    ['a.y', 50],
    ['a.new.one', 3],
  ] as const) {
    expect(log.filter(({ data }) => data.topic === topic).map(({ data }) => data.seq)).toEqual(upTo(last))
  }
  // From every cursor it goes on with just the rest, whether the feed remembers the cursor or has to read it anew.
  for (const at of [0, 1, 49, 77, 112]) {
    using tail = own.tail(`topic=a.>&last_event_id=${log[at]?.id}`)
    await eventually(() => expect(tail.told.length).toBe(112 - at))
    const rest = new Set(tail.told.map(({ data }) => data.event_id))
    expect(rest).toEqual(new Set(log.slice(at + 1).map(({ data }) => data.event_id)))
    // It is not sent the cursor that it came with.
    await eventually(() => expect(tail.lastId || log[at]?.id).toBe(log.at(-1)?.id))
  }
  all[Symbol.dispose]()
  now[Symbol.dispose]()
  using later = own.tail(`topic=a.>&last_event_id=${log[30]?.id}`)
  await eventually(() => expect(later.told.length).toBe(82))
})

test('a source is followed through all that others say, and its cursor moves on with them', async () => {
  await using own = await ownTails({ stalledMs: 400, tickMs: 20 })
  for (let n = 1; n <= 40; n++) await own.append('t', n, n, { source: n % 10 === 0 ? 'rare' : 'often' })
  using tail = own.tail('topic=t&from=start&source=rare')
  await eventually(() => expect(seqsOf(tail)).toEqual([10, 20, 30, 40]))
  await own.append('t', 41, 49, { source: 'often' })
  await own.append('t', 50, 55, { source: 'rare' })
  await own.append('t', 56, 59, { source: 'often' })
  await eventually(() => expect(seqsOf(tail).slice(4)).toEqual(upTo(55, 50)))
  // A heartbeat says how far it has come, so that a reconnect does not read all of that again.
  await eventually(() => expect(tail.lastId).toBe('59'))
  expect(tail.text).toContain('\n\nid: 59\n\n')
})

/** Blocks as a naive reader takes them for events: all that stands between two blank lines. */
const blocksOf = ({ text }: OpenTail) => text.split('\n\n').slice(0, -1)

test('a block without data comes only to say a cursor that the client cannot know', async () => {
  await using own = await ownTails({ stalledMs: 200, tickMs: 20 })
  await own.append('t', 1, 3)
  await own.stored('t', 3)
  for (const query of ['from=start', 'from=0', 'last_event_id=0']) {
    using tail = own.tail(`topic=t&${query}`)
    await eventually(() => expect(tail.text).toMatch(/\n\n:\n:\n/)) // heartbeats are lines, not blocks
    expect(blocksOf(tail).length).toBe(3)
    expect(blocksOf(tail).every((block) => block.includes('\ndata: {'))).toBe(true)
    await own.append('other', 1, 1)
  }
  // Where is now? Whoever is cut off before the first event must come again with this cursor and not with a later one.
  using now = own.tail('topic=t')
  await eventually(() => expect(now.text).toMatch(/^retry: 1000\nid: 3\n\n:\n:\n/))
  // Nor can who is sent one source's events know how far the others have come.
  using source = own.tail('topic=t&from=start&source=nobody')
  await eventually(() => expect(source.text).toMatch(/^retry: 1000\n(:\n)*id: 3\n\n:\n:\n/))
})
