/** What a client is told of a log that was restored from a backup, and how it goes on. */
import { LogRestored } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { json, startPeer, streams } from './peer.ts'
import { all, failureOf, fast, stored } from './sample.ts'

const restoredAt = '2026-11-28T10:00:00.000000Z'
const restored = json(409, {
  code: 'log_restored',
  detail: 'The log was restored.',
  topic: 'order',
  epoch: 2,
  forked_at: 500,
  restored_at: restoredAt,
  cursor: '2.500',
})
const facts = {
  code: 'log_restored',
  retryable: false,
  topic: 'order',
  epoch: 2,
  forkedAt: 500,
  restoredAt,
  cursor: '2.500',
}
const sse = 'text/event-stream'
const line = (seq: number, epoch?: number) => `${JSON.stringify({ ...stored(seq), epoch })}\n`

test('pages, replays and tails end with where the log forked, and are not tried again', async () => {
  await using peer = await startPeer(restored, restored, restored, restored, restored)
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const query = { topic: 'order', after: 600 }
  for (const read of [
    () => client.events(query),
    () => all(client.read(query)),
    () => all(client.replay(query)),
    () => all(client.tail({ topic: 'order', cursor: '600' })),
    () => all(client.tailText({ topic: 'order', from: 600 })),
  ]) {
    const failure = await failureOf(read())
    expect(failure).toBeInstanceOf(LogRestored)
    expect(failure).toMatchObject(facts)
  }
  expect(peer.received.length).toBe(5)
})

test('a tail that was open while the log forked is told when it comes again', async () => {
  const told = ['id: 600\ndata: ', JSON.stringify(stored(600)), '\n\n: log_restored: order\n']
  await using peer = await startPeer(
    streams(told, 'end', sse),
    restored,
    streams([`id: 2.501\ndata: ${line(501, 2)}\n\n`], 'stay', sse),
  )
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const seen: number[] = []
  let cursor: string | undefined
  const follow = async () => {
    for await (const event of client.tail({ topic: 'order', cursor })) {
      seen.push(event.seq)
      cursor = event.cursor
      if (event.epoch === 2) return
    }
  }
  const failure = await failureOf(follow())
  if (!(failure instanceof LogRestored)) throw failure
  cursor = failure.cursor
  await follow()
  expect([seen, cursor]).toEqual([[600, 501], '2.501'])
  expect(peer.received.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '600', '2.500'])
})

test('a replay that breaks off goes on in the epoch in which it was read', async () => {
  const lines = 'application/x-ndjson'
  await using peer = await startPeer(
    streams([line(501, 2), line(502, 2)], 'cut', lines),
    streams([line(503, 2)], 'end', lines),
  )
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const events = await all(client.replay({ topic: 'order', after: '2.500' }))
  expect(events.map(({ seq, epoch }) => [seq, epoch])).toEqual([
    [501, 2],
    [502, 2],
    [503, 2],
  ])
  expect(peer.received.map(({ url }) => url)).toEqual([
    '/events?topic=order&after=2.500',
    '/events?topic=order&after=2.502',
  ])
})
