/** What a letter has in it. */
import { decode } from '@sekali/broker/entry'
import type { Event, TopicName } from '@sekali/core/event'
import { readEvent } from '@sekali/core/parse'
import type { Position } from '@sekali/core/position'

/** Behind every entry that there can be. */
const end = '18446744073709551615-18446744073709551615' as Position

/**
 * The event of an entry, if it is one that the gateway would take, to the last character: somebody else may have written to
 * the stream, and what he wrote need not be something that can be appended again. Throws nothing.
 */
export function eventOf(topic: TopicName, entryId: string, fields: readonly string[]): Event | undefined {
  const entries = decode(topic, entryId, fields, end)
  const event = entries.length === 1 ? entries[0]?.event : undefined
  if (event === undefined) return undefined
  const read = readEvent(eventJson(event))
  return 'eventId' in read && isSame(read, event) ? event : undefined
}

const isSame = (a: Event, b: Event): boolean =>
  a.topic === b.topic &&
  a.eventId === b.eventId &&
  a.timestamp === b.timestamp &&
  a.source === b.source &&
  a.payload === b.payload

/** By concatenation, because the payload's text must not be parsed and printed. */
export const eventJson = ({ topic, eventId, ...content }: Event): string =>
  `{"topic":${JSON.stringify(topic)},"event_id":${JSON.stringify(eventId)},${contentMembers(content)}}`

export const contentMembers = (content: Pick<Event, 'timestamp' | 'payload'> & { source: string }): string =>
  `"timestamp":"${content.timestamp}","source":${JSON.stringify(content.source)},"payload":${content.payload}`
