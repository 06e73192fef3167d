import type { AnyPayload, Receipt, StoredEvent } from '../answers.ts'
import { requireText } from '../arguments.ts'
import { type Connection, call, jsonOf, search } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'
import { DeadEvent, Refused } from '../errors.ts'

/** What has become of an event: an answer, also if it is not there. */
export async function receipt<Payload extends object = AnyPayload>(
  connection: Connection,
  topic: string,
  eventId: string,
  options: CallOptions = {},
): Promise<Receipt<Payload>> {
  try {
    const answer = await receiptAnswer(connection, topic, eventId, options)
    return { status: 'stored', event: jsonOf<StoredEvent<Payload>>(answer, (value) => 'event_id' in value) }
  } catch (error) {
    if (error instanceof DeadEvent) return { status: 'dead', reason: error.reason }
    if (error instanceof Refused && error.code === 'event_in_flight') return { status: 'in_flight' }
    if (error instanceof Refused && error.code === 'unknown_event') return { status: 'unknown' }
    throw error
  }
}

/** The same as it comes: the event's text is the answer's. */
export async function receiptAnswer(
  connection: Connection,
  topic: string,
  eventId: string,
  options: CallOptions = {},
) {
  requireText('topic', topic)
  requireText('eventId', eventId)
  // Not in the path: there `.` and `..` go up, and a proxy may not let %2F through.
  const path = `/events/${encodeURIComponent(topic)}${search({ event_id: eventId })}`
  return call(connection, path, { method: 'GET' }, options)
}
