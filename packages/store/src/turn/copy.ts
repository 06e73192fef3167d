import type { Event } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'

/** An event as a turn takes it from its entry. */
export interface Received {
  readonly event: Event
  readonly receivedAt: string
  /** Of the entry; kept where `receivedAt` is too small to tell it from others (see entry-ids.ts). */
  readonly position?: Position
}

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
