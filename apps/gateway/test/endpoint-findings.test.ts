/** What the doctor finds of subscriptions whose events are sent. */
import type { Endpoint } from '@sekali/store/push-types'
import type { SubscriptionStatus } from '@sekali/store/subscription-types'
import { expect, test } from 'vitest'
import { endpointFindings } from '../src/operate/endpoint-findings.ts'
import { statusWith } from './subscription-status.ts'

const now = Date.parse('2025-12-08T12:00:00Z')

const endpoint = (fields: Partial<Endpoint>): Endpoint => ({
  subscription: 1,
  url: 'https://shop.example',
  headerNames: [],
  concurrency: 10,
  ratePerSecond: null,
  batchMax: 1,
  timeoutSeconds: 15,
  body: 'standard',
  state: 'active',
  why: null,
  since: '2025-12-08T10:00:00.000000Z',
  failures: 0,
  failingSince: null,
  heldUntil: null,
  probeAt: null,
  ...fields,
})

interface Case {
  readonly status?: Partial<SubscriptionStatus>
  readonly endpoint?: Partial<Endpoint>
  readonly dispatchers?: number
}

const found = ({ status = {}, endpoint: fields = {}, dispatchers = 1 }: Case) =>
  endpointFindings({
    all: [statusWith({ name: 'shop', kind: 'push', ...status })],
    endpoints: new Map([[1, endpoint(fields)]]),
    dispatchers,
    nowMs: now,
  })
    .filter(({ level }) => level !== 'ok')
    .map(({ check, level, message }) => `${level} ${check}: ${message}`)

const oldest = { oldestUnsettledAt: '2025-12-08T11:40:00.000000Z' }

test.each<[what: string, of: Case, findings: string[]]>([
  ['one that works', { status: { ...oldest, lag: 3, retrying: 3 } }, []],
  [
    'no dispatcher',
    { dispatchers: 0 },
    [
      'problem subscriptions.dispatchers: no dispatcher is at work: nothing is sent of shop, and nothing is lost',
    ],
  ],
  [
    'one that is disabled',
    { endpoint: { state: 'disabled', why: 'gone' } },
    [
      'warning subscriptions.disabled: nothing is sent to shop, which answered 410: nothing is lost, and what comes waits',
    ],
  ],
  [
    'one that fails',
    { endpoint: { state: 'degraded', failures: 1_200 } },
    ['warning subscriptions.failing: endpoints answer with failures alone: shop, 1,200 in a row'],
  ],
  ['one that fails and is paused', { status: { state: 'paused' }, endpoint: { state: 'degraded' } }, []],
  [
    'a backlog',
    { status: { ...oldest, lag: 1_500, retrying: 2 } },
    ['warning subscriptions.behind: events wait to be sent: shop has 1,500, the oldest stored 20 min ago'],
  ],
  [
    'a backlog behind a dead letter',
    { status: { ...oldest, lag: 5, blocked: [{ topic: 'a' as never, source: null }] } },
    [],
  ],
])('%s', (_, of, findings) => {
  expect(found(of)).toEqual(findings)
})

test('where nothing is to be sent, no dispatcher is missed', () => {
  const nothing = { all: [statusWith({ kind: 'pull' })], endpoints: new Map(), dispatchers: 0, nowMs: now }
  expect(endpointFindings(nothing).map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok'])
})
