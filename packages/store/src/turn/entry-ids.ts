/**
 * Which entries the log and the conflicts come from, where the time of receipt does not say it (`isTimeExact` in core):
 * the ids beyond the 999th of a millisecond, and those of a time that none of ours can be. There are none of them while
 * clocks go forward. A table of its own, because a column, even an empty one, would cost each event eight bytes.
 */
import type { Position } from '@sekali/core/position'
import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'

export interface EntryId {
  readonly topicId: number
  /** Of the event that has the entry's event id. */
  readonly seq: number
  /** Whether the entry is a conflict with that event; otherwise it is what was stored. */
  readonly isConflict: boolean
  readonly position: Position
}

export const keepEntryIds = (tx: Tx, entryIds: readonly EntryId[]): Promise<void> =>
  copyRows(
    tx,
    'entry_ids (topic_id, seq, is_conflict, entry_id)',
    entryIds,
    (to, { topicId, seq, isConflict, position }) => {
      to.row(4)
      to.integer(topicId)
      to.bigint(seq)
      to.boolean(isConflict)
      to.text(position)
    },
  )
