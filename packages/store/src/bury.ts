import type { Event } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import type { Position } from '@sekali/core/position'
import type { Tx } from './connect.ts'
import { deadLetters } from './schema.ts'
import type { Turn } from './turn.ts'

export interface DeadLetter {
  readonly position: Position
  readonly receivedAt: string
  readonly fields: readonly string[]
  readonly reason: string
  /** What the entry says, if it can be read. */
  readonly event: Event | undefined
}

/** Keeps entries that cannot become events, in the transaction that moves the position over them. */
export async function bury(tx: Tx, turn: Turn, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return
  await tx.insert(deadLetters).values(
    letters.map(({ position, receivedAt, fields, reason, event }) => ({
      topicId: turn.topicId,
      entryId: position,
      receivedAt,
      reason,
      eventId: event && isStorable(event.eventId) ? event.eventId : null,
      fields: JSON.stringify(fields),
    })),
  )
}

/** It may be what PostgreSQL refuses in the event. */
const isStorable = (eventId: string): boolean =>
  eventId.length <= limits.eventIdCharsMax && !eventId.includes('\0') && eventId.isWellFormed()
