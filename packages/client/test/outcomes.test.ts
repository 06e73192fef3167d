/** What a client is told has become of its events. */
import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { Conflict, DeadEvent } from '../src/errors.ts'
import { json, startPeer } from './peer.ts'
import { event, failureOf, fast, impatient, stored } from './sample.ts'

test('a receipt says what became of an event, whatever that is', async () => {
  await using peer = await startPeer(
    json(200, stored(7)),
    json(404, { code: 'event_in_flight' }),
    json(404, { code: 'unknown_event' }),
    json(404, { code: 'dead_event', reason: '22P05' }),
    json(404, { code: 'not_found' }),
  )
  const client = createClient({ baseUrl: peer.url })
  expect(await client.receipt('order.eu', 'a/b c')).toEqual({ status: 'stored', event: stored(7) })
  expect(peer.received[0]?.url).toBe('/events/order.eu?event_id=a%2Fb+c')
  expect(await client.receipt('order', '1')).toEqual({ status: 'in_flight' })
  expect(await client.receipt('order', '1')).toEqual({ status: 'unknown' })
  expect(await client.receipt('order', '1')).toEqual({ status: 'dead', reason: '22P05' })
  expect(await failureOf(client.receipt('order', '1'))).toMatchObject({ code: 'not_found' })
})

test('a publish that waits says so, gives the gateway the time, and tells the outcomes apart', async () => {
  const late = json(200, { status: 'stored', event_id: 'order-1', seq: 12 })
  await using peer = await startPeer(
    (...asked) => void setTimeout(late, 2 * impatient.requestMs, ...asked),
    json(409, { code: 'conflict', seq: 3 }),
    json(422, { code: 'dead_event', reason: '22P05' }),
    json(202, { status: 'queued', event_id: 'order-1' }),
  )
  const client = createClient({ baseUrl: peer.url, retry: impatient })
  const published = () => client.publish(event(1), { waitSeconds: 2 })
  expect(await published()).toEqual({ status: 'stored', event_id: 'order-1', seq: 12 })
  expect(peer.received[0]?.headers.prefer).toBe('wait=2')
  const conflict = await failureOf(published())
  expect(conflict).toBeInstanceOf(Conflict)
  expect(conflict).toMatchObject({ seq: 3 })
  const dead = await failureOf(published())
  expect(dead).toBeInstanceOf(DeadEvent)
  expect(dead).toMatchObject({ reason: '22P05' })
  expect(await published()).toMatchObject({ status: 'queued' })
})

test('a batch is one array, with receipts if it was waited for', async () => {
  const receipts = [{ event_id: 'order-1', status: 'stored', seq: 1 }]
  await using peer = await startPeer(json(202, { status: 'settled', queued: 1, receipts }))
  const client = createClient({ baseUrl: peer.url })
  expect(await client.publishBatch([event(1)], { waitSeconds: 5 })).toMatchObject({ receipts })
  expect(JSON.parse(peer.received[0]?.body ?? '')).toEqual([event(1)])
})

test('a batch that is published leniently says so, and keeps the place of what is no event', async () => {
  const events = [
    { index: 1, errors: [{ path: '', code: 'invalid_body', message: 'must be a JSON object' }] },
  ]
  await using peer = await startPeer(json(200, { status: 'queued', queued: 2, invalid: 1, events }))
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const batch = [event(1), '{"half":', event(2)]
  const answer = await client.publishBatch(batch, { lenient: true, waitSeconds: 5 })
  expect(answer).toEqual({ status: 'queued', queued: 2, invalid: 1, events })
  expect(peer.received[0]?.headers.prefer).toBe('handling=lenient, wait=5')
  expect(JSON.parse(peer.received[0]?.body ?? '')).toEqual([event(1), null, event(2)])
  await expect(client.publishBatch(batch)).rejects.toThrow('must be the JSON of one event')
})

test('a batch that is published leniently and has no event rejects with what is wrong with each', async () => {
  const errors = [{ path: '', code: 'invalid_body', message: 'must be a JSON object' }]
  const events = [{ index: 0, errors }, { index: 1, errors: [...errors, ...errors] }, 7, { index: 2 }]
  await using peer = await startPeer(json(422, { code: 'invalid_event', queued: 0, invalid: 3, events }))
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const refused = client.publishBatch(['{', '[', '7'], { lenient: true })
  await expect(refused).rejects.toMatchObject({
    name: 'Invalid',
    issues: [0, 1, 1].map((index) => ({ index, ...errors[0] })),
    message: expect.stringContaining('[1] must be a JSON object'),
  })
})
