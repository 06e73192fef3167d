import { InvalidConfig } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import { Refused, Unavailable } from '../src/errors.ts'
import { createOperator } from '../src/operate/operator.ts'
import type { Attempt } from '../src/operate/subscription.ts'
import { json, type Peer, resets, startPeer } from './peer.ts'
import { all, failureOf, fast } from './sample.ts'

const attempt = (id: number): Attempt => ({
  ...{
    id,
    at: '2026-01-01T00:00:00Z',
    kind: 'event',
    topic: 'orders',
    seq: id,
    attempt: 1,
    state: 'delivered',
  },
  ...{ status: 204, error: null, duration_ms: 5, request: { url: 'https://a', headers: {} }, response: null },
  retry_in_s: null,
})

const operatorOf = ({ url }: Peer) => createOperator({ baseUrl: url, retry: fast })
const asked = ({ received }: Peer) => received.map(({ method, url }) => `${method} ${url}`)

test('attempts come page after page, and one event is sent again', async () => {
  await using peer = await startPeer(
    json(200, [attempt(2)], { link: '<?state=failed&after=2>; rel="next"' }),
    json(200, [attempt(1)]),
    resets,
    json(202, { status: 'queued' }),
  )
  const operator = operatorOf(peer)
  expect(await all(operator.attempts('a', { state: 'failed' }))).toEqual([attempt(2), attempt(1)])
  await operator.retryDelivery('a', 'orders', 7)
  expect(asked(peer)).toEqual([
    'GET /subscriptions/a/attempts?state=failed',
    'GET /subscriptions/a/attempts?state=failed&after=2',
    ...Array(2).fill('POST /subscriptions/a/deliveries/orders/7/retry'),
  ])
})

test('a test and a rotation are not tried again: a second one would be another; a deletion is', async () => {
  await using peer = await startPeer(
    json(200, attempt(1)),
    json(503, { status: 503, code: 'no_dispatcher' }),
    resets,
    json(201, { id: 2, secret: 'whsec_a', secrets: [] }),
    resets,
    json(404, { status: 404, code: 'unknown_secret' }),
    json(404, { status: 404, code: 'unknown_secret' }),
  )
  const operator = operatorOf(peer)
  expect(await operator.testEndpoint('a')).toEqual(attempt(1))
  expect(await failureOf(operator.testEndpoint('a'))).toBeInstanceOf(Unavailable)
  expect(await failureOf(operator.rotateSecret('a'))).toMatchObject({ code: 'unreachable' })
  expect(await operator.rotateSecret('a')).toMatchObject({ id: 2, secret: 'whsec_a' })
  await operator.dropSecret('a', 1)
  expect(await failureOf(operator.dropSecret('a', 1))).toBeInstanceOf(Refused)
  expect(asked(peer)).toHaveLength(7)
})

test('what would be another path is refused before anything is sent', async () => {
  await using peer = await startPeer(json(200, {}))
  const operator = operatorOf(peer)
  for (const wrong of [
    operator.testEndpoint(''),
    operator.retryDelivery('a', '', 1),
    operator.retryDelivery('a', 'orders', 1.5),
    operator.dropSecret('a', 0),
  ]) {
    expect(await failureOf(wrong)).toBeInstanceOf(InvalidConfig)
  }
  expect(peer.received).toEqual([])
})
