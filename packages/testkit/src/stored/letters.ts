/** Dead letters and conflicts as consumers leave them, without consumers. */
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Store } from '@sekali/store/connect'
import { keepDeadLetters } from '@sekali/store/dead-letters'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { event } from '../sample.ts'
import { accountFor, storeEvents, withTurn } from './store-events.ts'

let entries = 0

export interface DeadEvent {
  readonly topic?: string
  readonly payload?: string
  readonly reason?: string
  readonly timestamp?: string
}

/** Makes an event a dead letter, as if PostgreSQL had refused it; with null it is no event at all. */
export async function makeDead(store: Store, eventId: string | null, differs: DeadEvent = {}): Promise<void> {
  const topic = (differs.topic ?? 'orders') as TopicName
  const one = eventId === null ? undefined : event({ ...differs, eventId })
  const text = one && [one.eventId, one.timestamp, one.source, one.payload].join('\0')
  await ensureTopics(store, [topic])
  await withTurn(store, [topic], async (tx, turn) => {
    entries += 1
    const letter = {
      position: `${entries}-0` as Position,
      receivedAt: differs.timestamp ?? '2025-12-08T10:00:00.000000Z',
      fields: ['e', text ?? 'no event'],
      reason: differs.reason ?? (one === undefined ? 'malformed_entry' : '23514'),
      event: one,
    }
    const kept = await keepDeadLetters(tx, turn, [letter])
    accountFor(tx, turn, { stored: 0, duplicates: 0, conflicts: 0, kept, dead: 1 })
  })
}

/** Stores an event, and another content under its id. */
export async function makeConflict(
  store: Store,
  eventId: string,
  contents: { readonly topic?: string; readonly stored?: string; readonly received?: string } = {},
): Promise<void> {
  const { topic = 'orders', stored = '{"amount":1}', received = '{"amount":2}' } = contents
  await storeEvents(store, [event({ topic, eventId, payload: stored })])
  await storeEvents(store, [event({ topic, eventId, payload: received, source: 'other' })])
}
