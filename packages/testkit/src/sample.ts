import type { Event, EventId, Source, TopicName } from '@sekali/core/event'

/** `first`, `first + 1`, … `last`. */
export const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** A place in a log: behind this seq, as long as nothing was restored. */
export const at = (seq: number, epoch = 1) => ({ epoch, seq })

/** An event that says what differs and is ordinary otherwise. */
export const event = (
  differs: { topic?: string; eventId?: string; source?: string; payload?: string; timestamp?: string } = {},
): Event => ({
  topic: (differs.topic ?? 'orders') as TopicName,
  eventId: (differs.eventId ?? 'e1') as EventId,
  timestamp: differs.timestamp ?? '2025-12-08T10:00:00.123456Z',
  source: (differs.source ?? 'shop') as Source,
  payload: differs.payload ?? '{"amount":1}',
})
