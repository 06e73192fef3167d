import type { Received } from './commit.ts'
import type { Tx } from './connect.ts'
import { copyRows, copyText } from './copy-rows.ts'

/** An event as it goes into the log. */
export interface Numbered extends Received {
  readonly topicId: number
  readonly seq: number
}

/** Adds events to the log. `opening` is sent along, before COPY, in the same message. */
export const copyEvents = (tx: Tx, events: readonly Numbered[], opening = ''): Promise<void> =>
  copyRows(
    tx,
    'events (topic_id, seq, event_id, "timestamp", source, payload, received_at)',
    events,
    ({ topicId, seq, receivedAt, event: { eventId, timestamp, source, payload } }) =>
      `${topicId}\t${seq}\t${copyText(eventId)}\t${timestamp}\t${copyText(source)}\t${copyText(payload)}\t${receivedAt}`,
    opening,
  )
