import { InvalidConfig } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import { Refused, Unreachable } from '../src/errors.ts'
import { createOperator } from '../src/operate/operator.ts'
import type { PullSubscription } from '../src/operate/subscription.ts'
import { json, type Peer, resets, startPeer } from './peer.ts'
import { all, failureOf, fast } from './sample.ts'

const subscription = (name: string, more: Partial<PullSubscription> = {}): PullSubscription => ({
  name,
  kind: 'pull',
  topics: 'orders.>',
  order: 'none',
  source_batch: 1,
  lease_s: 30,
  outstanding_max: 1_000,
  deliveries_max: 5,
  backoff_s: [1, 5, 30, 120],
  on_exhausted: 'skip',
  state: 'active',
  lag: 0,
  lag_is_bound: false,
  outstanding: 0,
  retrying: 0,
  waiting: 0,
  dead: 0,
  blocked: [],
  oldest_unsettled_at: null,
  created_at: '2026-01-01T00:00:00Z',
  created_by: 'anyone',
  changed_at: '2026-01-01T00:00:00Z',
  ...more,
})

const operatorOf = ({ url }: Peer) => createOperator({ baseUrl: url, retry: fast })
const asked = ({ received }: Peer) =>
  received.map(({ method, url, body }) => [`${method} ${url}`, body === '' ? undefined : JSON.parse(body)])

test('subscriptions are listed page after page, shown, made, paused and resumed', async () => {
  const [a, b] = [subscription('a'), subscription('b', { state: 'paused' })]
  await using peer = await startPeer(
    json(200, [a], { link: '<?limit=1&after=a>; rel="next"' }),
    json(200, [b]),
    json(200, a),
    resets,
    json(201, a),
    json(200, b),
    json(200, a),
  )
  const operator = operatorOf(peer)
  expect(await all(operator.subscriptions({ limit: 1 }))).toEqual([a, b])
  expect(await operator.subscription('a')).toEqual(a)
  const wanted = {
    topics: 'orders.>',
    order: 'source',
    filter: { payload: { '/status': ['paid'] } },
  } as const
  expect(await operator.putSubscription('a', wanted)).toEqual(a)
  expect(await operator.pauseSubscription('a')).toEqual(b)
  expect(await operator.resumeSubscription('a')).toEqual(a)
  expect(asked(peer)).toEqual([
    ['GET /subscriptions?limit=1', undefined],
    ['GET /subscriptions?limit=1&after=a', undefined],
    ['GET /subscriptions/a', undefined],
    ['PUT /subscriptions/a', wanted],
    ['PUT /subscriptions/a', wanted],
    ['POST /subscriptions/a/pause', undefined],
    ['POST /subscriptions/a/resume', undefined],
  ])
})

test('a seek says first what it would do', async () => {
  const would = { dry_run: true, lost: 2, again: 400, skipped: 0 }
  await using peer = await startPeer(json(200, would), json(200, { ...would, dry_run: false }))
  const operator = operatorOf(peer)
  expect(await operator.seekSubscription('a', { from: 'start', dryRun: true })).toEqual(would)
  expect(await operator.seekSubscription('a', { from: 'start' })).toMatchObject({ dry_run: false })
  expect(asked(peer)).toEqual([
    ['POST /subscriptions/a/seek', { from: 'start', dry_run: true }],
    ['POST /subscriptions/a/seek', { from: 'start', dry_run: false }],
  ])
})

test('a drop whose answer was lost has succeeded if there is no such subscription then', async () => {
  const gone = json(404, { code: 'unknown_subscription' })
  await using peer = await startPeer(resets, gone)
  await operatorOf(peer).dropSubscription('a')
  await using none = await startPeer(gone)
  expect(await failureOf(operatorOf(none).dropSubscription('a'))).toBeInstanceOf(Refused)
})

test('deliveries are counted and handed out again, once', async () => {
  const counted = { matched: 2, by_reason: { exhausted: 2 }, as_of: 'd-9' }
  await using peer = await startPeer(
    json(200, counted),
    json(200, { ...counted, redriven: 2 }),
    resets,
    json(200, { ...counted, redriven: 2 }),
  )
  const operator = operatorOf(peer)
  const filter = { subscription: 'mailer' }
  const { as_of, matched } = await operator.countRedrive(filter)
  const start = { filter, asOf: as_of, expect: matched }
  expect(await operator.redriveDeliveries(start)).toMatchObject({ redriven: 2 })
  expect(await failureOf(operator.redriveDeliveries(start))).toBeInstanceOf(Unreachable)
  expect(asked(peer)).toEqual([
    ['POST /dead-letters/redrive', { filter, dry_run: true }],
    ...Array.from({ length: 2 }, () => ['POST /dead-letters/redrive', { filter, as_of: 'd-9', expect: 2 }]),
  ])
})

test('what cannot be meant is refused before anything is sent', async () => {
  await using peer = await startPeer(json(200, []))
  const operator = operatorOf(peer)
  const wrong: readonly (() => Promise<unknown>)[] = [
    () => operator.subscription(''),
    () => operator.putSubscription('a', 'orders.>' as never),
    () => operator.seekSubscription('a', { from: '' }),
    () => operator.dropSubscription(''),
    () => operator.redriveDeliveries({ filter: {} as never, asOf: 'd-1', expect: 1 }),
  ]
  for (const call of wrong) expect(await failureOf(call()), String(call)).toBeInstanceOf(InvalidConfig)
  expect(peer.received).toEqual([])
})
