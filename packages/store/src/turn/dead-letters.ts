import type { Event } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import type { Position } from '@sekali/core/position'
import type { Tx } from '../postgres/connect.ts'
import { copyRows } from '../postgres/copy-rows.ts'
import { createKept } from './kept.ts'
import type { Turn } from './turn.ts'

export interface DeadLetter {
  readonly position: Position
  readonly receivedAt: string
  readonly fields: readonly string[]
  readonly reason: string
  /** What the entry says, if it can be read. */
  readonly event: Event | undefined
}

/**
 * Keeps entries that cannot become events, in the transaction that moves the position over them. Resolves with the
 * bytes of content that were kept.
 */
export async function keepDeadLetters(tx: Tx, turn: Turn, letters: readonly DeadLetter[]): Promise<number> {
  const kept = createKept(turn)
  await copyRows(
    tx,
    'dead_letters (topic_id, entry_id, received_at, reason, event_id, fields)',
    letters,
    (to, { position, receivedAt, fields, reason, event }) => {
      const content = JSON.stringify(fields)
      to.row(6)
      to.integer(turn.topicId)
      to.text(position)
      to.time(receivedAt)
      to.text(reason)
      to.text(event && isStorable(event.eventId) ? event.eventId : null)
      to.text(kept.hasRoom(content) ? content : null)
    },
  )
  return kept.bytes
}

/** It may be what PostgreSQL refuses in the event. */
const isStorable = (eventId: string): boolean =>
  eventId.length <= limits.eventIdCharsMax && !eventId.includes('\0') && eventId.isWellFormed()
