import type { Event, EventId, Source, TopicName } from '@sekali/core/event'
import { type Position, timeOf } from '@sekali/core/position'

/** An event as it came back from a stream. */
export interface Entry {
  readonly position: Position
  readonly receivedAt: string
  /** `undefined` when the entry is not of the form that {@link encode} writes: somebody else appended it. */
  readonly event: Event | undefined
  /** Field, value, field, value … as Redis holds them. */
  readonly fields: readonly string[]
}

/** An event's fields: `i`d, `t`imestamp, `s`ource, `p`ayload. Short, because every entry repeats them. */
export const encode = (event: Event): [string, string, string, string] => [
  event.eventId,
  event.timestamp,
  event.source,
  event.payload,
]

export const fieldNames = ['i', 't', 's', 'p'] as const

export function decode(topic: TopicName, id: string, fields: readonly string[]): Entry {
  const position = id as Position
  return { position, receivedAt: timeOf(position), event: decodeEvent(topic, fields), fields }
}

// PostgreSQL would take `yesterday` for a time.
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

// Whether the other values are right is not asked again: the gateway did, and PostgreSQL refuses what it cannot hold.
function decodeEvent(topic: TopicName, fields: readonly string[]): Event | undefined {
  const [i, eventId, t, timestamp, s, source, p, payload] = fields
  if (fields.length !== 8 || i !== 'i' || t !== 't' || s !== 's' || p !== 'p') return undefined
  if (timestamp === undefined || !timeForm.test(timestamp)) return undefined
  return {
    topic,
    eventId: eventId as EventId,
    timestamp,
    source: source as Source,
    payload: payload ?? '',
  }
}
