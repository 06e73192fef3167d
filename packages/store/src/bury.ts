import type { Position } from '@sekali/core/position'
import type { Tx } from './connect.ts'
import { deadLetters } from './schema.ts'
import type { Turn } from './turn.ts'

export interface DeadLetter {
  readonly position: Position
  readonly receivedAt: string
  readonly fields: readonly string[]
  readonly reason: string
}

/** Keeps entries that cannot become events, in the transaction that moves the position over them. */
export async function bury(tx: Tx, turn: Turn, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return
  await tx.insert(deadLetters).values(
    letters.map(({ position, receivedAt, fields, reason }) => ({
      topicId: turn.topicId,
      entryId: position,
      receivedAt,
      reason,
      fields: JSON.stringify(fields),
    })),
  )
}
