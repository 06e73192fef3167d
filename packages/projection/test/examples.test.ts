import type { EventId, Source, StoredEvent, TopicName } from '@sekali/core/event'
import { expect, test } from 'vitest'
import { customerTotals } from '../../../examples/customer-totals.ts'
import { loginAlerts } from '../../../examples/login-alerts.ts'
import { ordersPerMinute } from '../../../examples/orders-per-minute.ts'
import { builtIn } from '../src/built-in/all.ts'
import type { Projection } from '../src/define.ts'
import { fold, prepare } from '../src/fold.ts'
import { validate } from '../src/validate.ts'

const stored = (topic: string, seq: number, second: number, payload?: object): StoredEvent => {
  const timestamp = `2025-12-08T10:00:${String(second).padStart(2, '0')}.000000Z`
  return {
    topic: topic as TopicName,
    eventId: `e${seq}` as EventId,
    timestamp,
    source: 'shop' as Source,
    payload: JSON.stringify(payload ?? { customer: 'c', total: seq / 10, user: 'eve', ok: seq % 7 === 0 }),
    seq,
    receivedAt: timestamp,
    storedAt: timestamp,
  }
}

const examples = [customerTotals, loginAlerts, ordersPerMinute, ...builtIn] as unknown as Projection[]

test.each(examples.map((one) => [one.name, one] as const))(
  '%s comes to the same in whatever order the topics are folded',
  (_, projection) => {
    const { topicRegex } = validate(projection)
    const names = [
      'orders.eu.paid',
      'orders.us.paid',
      'orders.eu.placed',
      'logins.web',
      'logins.app',
    ] as const
    const topics = names
      .filter((name) => topicRegex.test(name))
      .map((name, at) =>
        Array.from({ length: 20 }, (_, index) => stored(name, index + 1, index * 2 + (at % 2))),
      )
    expect(topics.length).toBeGreaterThan(1)
    const foldAll = (events: StoredEvent[]) => {
      const folded = fold(projection, prepare(projection, events), new Map())
      expect(folded.failure).toBeUndefined()
      return Object.fromEntries(folded.states)
    }
    const inTime = topics.flat().sort((a, b) => a.timestamp.localeCompare(b.timestamp))
    expect(foldAll(topics.flat())).toEqual(foldAll(inTime))
    expect(foldAll(topics.toReversed().flat())).toEqual(foldAll(inTime))
  },
)

test.each(examples.map((one) => [one.name, one] as const))(
  '%s is not stopped by an event that does not fit',
  (_, projection) => {
    const { topicRegex } = validate(projection)
    const names = [undefined, null, '', 'x'.repeat(600), {}, [], true, 7]
    const totals = [undefined, null, '', 'much', {}, true, 1e308, 2 ** 60]
    const payloads = [
      ...names.map((name) => ({ customer: name, user: name, key: name, total: 1, ok: name })),
      ...totals.map((total) => ({ customer: 'c', user: 'eve', total, ok: total })),
    ]
    for (const topic of ['orders.eu.paid', 'orders.eu.placed', 'logins.web'].filter((name) =>
      topicRegex.test(name),
    )) {
      const events = payloads.map((payload, at) => stored(topic, at + 1, at, payload))
      const { failure, states } = fold(projection, prepare(projection, events), new Map())
      expect(failure).toBeUndefined()
      if (projection.name === 'customer-totals') expect(states.get('c')).toBeUndefined()
    }
  },
)
