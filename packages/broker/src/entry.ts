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

/** The one field of an entry. One, because each costs every client and Redis a few hundred nanoseconds. */
export const fieldName = 'e'

// The parser refuses NUL in every part of an event, so it can stand between them.
export const separator = '\0'

/** Event id, timestamp, source and payload in one value. The topic is the stream's. */
export const encode = ({ eventId, timestamp, source, payload }: Event): string =>
  `${eventId}${separator}${timestamp}${separator}${source}${separator}${payload}`

export function decode(topic: TopicName, id: string, fields: readonly string[]): Entry {
  const position = id as Position
  return { position, receivedAt: timeOf(position), event: decodeEvent(topic, fields), fields }
}

// PostgreSQL would take `yesterday` for a time.
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

// Whether the other values are right is not asked again: the gateway did, and PostgreSQL refuses what it cannot hold.
function decodeEvent(topic: TopicName, [name, value = '', ...more]: readonly string[]): Event | undefined {
  if (name !== fieldName || more.length > 0) return undefined
  const first = value.indexOf(separator)
  const second = value.indexOf(separator, first + 1)
  const third = value.indexOf(separator, second + 1)
  if (first === -1 || second === -1 || third === -1) return undefined
  const timestamp = value.slice(first + 1, second)
  if (!timeForm.test(timestamp)) return undefined
  return {
    topic,
    eventId: value.slice(0, first) as EventId,
    timestamp,
    source: value.slice(second + 1, third) as Source,
    payload: value.slice(third + 1),
  }
}
