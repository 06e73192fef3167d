import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'
import type { Received } from './copy.ts'

/** An event under an id that another content has. */
export interface Conflict extends Received {
  readonly topicId: number
  /** Of the event that has the id. */
  readonly seq: number
  /** Whether its content is kept; otherwise a stub is. */
  readonly isKept: boolean
}

/** Keeps conflicts, in their order, for whoever has to sort them out. */
export const keepConflicts = (tx: Tx, conflicts: readonly Conflict[]): Promise<void> =>
  copyRows(
    tx,
    'conflicts (topic_id, seq, event_id, "timestamp", source, payload, received_at)',
    conflicts,
    (to, { topicId, seq, isKept, receivedAt, event: { eventId, timestamp, source, payload } }) => {
      to.row(7)
      to.integer(topicId)
      to.bigint(seq)
      to.text(eventId)
      to.time(isKept ? timestamp : null)
      to.text(isKept ? source : null)
      to.text(isKept ? payload : null)
      to.time(receivedAt)
    },
  )
