/** What the doctor finds of subscriptions. */
import type { SubscriptionStatus } from '@sekali/store/subscription-types'
import { expect, test } from 'vitest'
import { subscriptionFindings } from '../src/operate/subscription-findings.ts'
import { statusWith } from './subscription-status.ts'

const now = Date.parse('2025-12-08T12:00:00Z')

const found = (...all: Partial<SubscriptionStatus>[]) =>
  subscriptionFindings({ all: all.map(statusWith), endpoints: new Map(), dispatchers: 0, nowMs: now })
    .filter(({ level }) => level !== 'ok')
    .map(({ check, message }) => `${check}: ${message}`)

const old = { lag: 1_200, oldestUnsettledAt: '2025-12-08T11:40:00.000000Z' }

test('all is well where workers are at work, and without any subscription', () => {
  expect(found()).toEqual([])
  expect(
    found(
      { ...old, outstanding: 1 },
      { ...old, retrying: 1, retryDueAt: '2100-01-01T00:00:00.000000Z' },
      { lag: 5, oldestUnsettledAt: '2025-12-08T11:59:00.000000Z' },
    ),
  ).toEqual([])
})

test('what stands behind a dead letter is named', () => {
  const topic = 'orders.eu' as SubscriptionStatus['blocked'][number]['topic']
  expect(
    found({
      ...old,
      blocked: [
        { topic, source: 'shop' },
        { topic, source: null },
      ],
    }),
  ).toEqual([
    'subscriptions.blocked: nothing goes on behind a dead letter: mailer at source shop of orders.eu, mailer at topic orders.eu',
  ])
})

test('dead letters are counted, the most first', () => {
  expect(found({ dead: 2 }, { name: 'billing', dead: 1_412 })).toEqual([
    'subscriptions.dead: events that could not be done, or delivered, are dead letters: billing 1,412, mailer 2',
  ])
})

test('events that wait without any worker are found, unless it is paused, which is found as well', () => {
  expect(found(old)).toEqual([
    'subscriptions.idle: events wait and no worker has any: mailer has 1,200, the oldest stored 20 min ago',
  ])
  // Workers that died have left events whose leases ended long ago.
  const left = { ...old, retrying: 3 }
  expect(found({ ...left, retryDueAt: old.oldestUnsettledAt })).toHaveLength(1)
  expect(found({ ...left, retryDueAt: '2100-01-01T00:00:00.000000Z' })).toEqual([])
  expect(found({ ...old, outstanding: 1 })).toEqual([])
  expect(found({ ...old, state: 'paused' })).toEqual([
    'subscriptions.paused: nothing is handed out, or sent, of mailer: nothing is lost, and what comes waits',
  ])
})

test('what could not be read is unknown', () => {
  expect(subscriptionFindings(undefined)).toMatchObject([{ check: 'subscriptions', level: 'unknown' }])
})
