import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'
import type { Received } from './commit.ts'

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
    (to, { topicId, seq, receivedAt, event: { eventId, timestamp, source, payload } }) => {
      to.row(7)
      to.integer(topicId)
      to.bigint(seq)
      to.text(eventId)
      to.time(timestamp)
      to.text(source)
      to.text(payload)
      to.time(receivedAt)
    },
    opening,
  )
