import type { EventId, Source, StoredEvent, TopicName } from '@sekali/core/event'
import { defineProjection, type Projection } from '../src/define.ts'
import { fold, prepare } from '../src/fold.ts'

export const events = (...payloads: string[]): StoredEvent[] =>
  payloads.map((payload, index) => ({
    topic: 'orders' as TopicName,
    eventId: `e${index + 1}` as EventId,
    timestamp: '2025-12-08T10:00:00.000000Z',
    source: 'shop' as Source,
    payload,
    seq: index + 1,
    receivedAt: '2025-12-08T10:00:01.000000Z',
    storedAt: '2025-12-08T10:00:02.000000Z',
  }))

export const numbered = (count: number) =>
  events(...Array.from({ length: count }, (_, at) => `{"n":${at + 1}}`))

export function run(
  projection: Projection<never>,
  stored: StoredEvent[],
  before: Record<string, string> = {},
) {
  const erased = projection as unknown as Projection
  const { states, ...rest } = fold(erased, prepare(erased, stored), new Map(Object.entries(before)))
  return { ...rest, states: Object.fromEntries(states) }
}

export const sum = defineProjection({
  name: 'sum',
  topics: 'orders',
  initial: { n: 0 },
  // Changes the state that it is given, which is allowed.
  apply(state, { payload: { n } }) {
    state.n += Number(n)
    if (n === 7) throw new RangeError('seven')
    return state
  },
}) as Projection<never>
