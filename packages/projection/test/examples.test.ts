import type { EventId, Source, StoredEvent, TopicName } from '@sekali/core/event'
import { expect, test } from 'vitest'
import { customerTotals } from '../../../examples/customer-totals.ts'
import { loginAlerts } from '../../../examples/login-alerts.ts'
import { ordersPerMinute } from '../../../examples/orders-per-minute.ts'
import { builtIn } from '../src/built-in/all.ts'
import type { Projection } from '../src/define.ts'
import { fold, prepare } from '../src/fold.ts'
import { validate } from '../src/validate.ts'
import { largestPayloads, seeded, somePayload } from './payloads.ts'

const stored = (topic: string, seq: number, second: number, payload?: object | string): StoredEvent => {
  const timestamp = `2025-12-08T10:00:${String(second).padStart(2, '0')}.000000Z`
  return {
    topic: topic as TopicName,
    eventId: `e${seq}` as EventId,
    timestamp,
    source: 'shop' as Source,
    payload:
      typeof payload === 'string'
        ? payload
        : JSON.stringify(payload ?? { customer: 'c', total: seq / 10, user: 'eve', ok: seq % 7 === 0 }),
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

/** Longest names, too: a key may be made of them. */
const topicsOf = ({ topicRegex }: { topicRegex: RegExp }) =>
  ['orders.eu.paid', `orders.${'e'.repeat(114)}.placed`, 'logins.web', `logins.${'w'.repeat(121)}`].filter(
    (name) => topicRegex.test(name),
  )

test.each(examples.map((one) => [one.name, one] as const))(
  '%s folds whatever the gateway takes, to the same wherever its batches are cut and in any order of topics',
  (_, projection) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = seeded(seed)
    const topics = topicsOf(validate(projection))
    const logs = topics.map((topic) =>
      Array.from({ length: 1_500 }, (_, at) => stored(topic, at + 1, at % 60, somePayload(random))),
    )
    const foldAll = (events: readonly StoredEvent[], batch: number) => {
      let states: ReadonlyMap<string, string> = new Map()
      for (let from = 0; from < events.length; from += batch) {
        const prepared = prepare(projection, events.slice(from, from + batch))
        const folded = fold(projection, prepared, states)
        expect(folded.failure, `seed ${seed}`).toBeUndefined()
        states = new Map([...states, ...folded.states])
      }
      return Object.fromEntries(states)
    }
    const whole = foldAll(logs.flat(), 10_000)
    expect(foldAll(logs.flat(), 1), `seed ${seed}`).toEqual(whole)
    expect(foldAll(logs.toReversed().flat(), 77), `seed ${seed}`).toEqual(whole)
  },
)

test.each(examples.map((one) => [one.name, one] as const))(
  '%s folds the largest payloads, whatever they are made of',
  (_, projection) => {
    const topics = topicsOf(validate(projection)).slice(-1) // the longest one
    for (const [at, payload] of largestPayloads.entries()) {
      const events = topics.map((topic) => ({
        ...stored(topic, at + 1, 0, payload),
        source: 's'.repeat(128) as Source,
      }))
      expect(fold(projection, prepare(projection, events), new Map()).failure?.message).toBeUndefined()
    }
  },
)
