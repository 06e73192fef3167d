import type { Event } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { WriteKey } from '../keys/event-key.ts'
import type { BinaryRows } from '../postgres/binary-rows.ts'
import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'

/** An event as a turn takes it from its entry. */
export interface Received {
  readonly event: Event
  readonly receivedAt: string
  /** Of the entry; kept where `receivedAt` is too small to tell it from others (see entry-ids.ts). */
  readonly position?: Position
}

/** An event with the number of the one that has its id. */
export interface Numbered extends Received {
  readonly topicId: number
  readonly seq: number
}

/** An event as it goes into the log. */
export interface Keyed extends Numbered {
  readonly hashes: Hashes
}

/** What a topic's events have beside what they say. Both are made while PostgreSQL takes the rows before them. */
export interface Hashes {
  /** Of an id; see keys/event-key.ts. */
  readonly writeKey: WriteKey
  /** Of a content; see keys/content-tag.ts. */
  readonly writeTag: (event: Event, to: Buffer, at: number) => void
}

/** What the log and the conflicts have of an event. Into the latter goes a stub, if its content is not to be kept. */
export const numberedColumns = 'topic_id, seq, event_id, "timestamp", source, payload, received_at'

export function writeNumbered(
  to: BinaryRows,
  { topicId, seq, receivedAt, event }: Numbered,
  isKept = true,
  columns = 7,
): void {
  to.row(columns)
  to.integer(topicId)
  to.bigint(seq)
  to.text(event.eventId)
  to.time(isKept ? event.timestamp : null)
  to.text(isKept ? event.source : null)
  to.text(isKept ? event.payload : null)
  to.time(receivedAt)
}

/** Adds events to the log. `opening` is sent along, before COPY, in the same message. */
export const copyEvents = (tx: Tx, events: readonly Keyed[], opening = ''): Promise<void> =>
  copyRows(tx, `events (${numberedColumns}, event_key, content_tag)`, events, writeKeyed, opening)

function writeKeyed(to: BinaryRows, event: Keyed): void {
  writeNumbered(to, event, true, 9)
  to.uuid(event.hashes.writeKey, event.event.eventId)
  to.uuid(event.hashes.writeTag, event.event)
}
