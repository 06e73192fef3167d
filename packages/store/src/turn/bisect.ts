import { add, type Outcomes, outcomesOf } from '@sekali/core/figures'
import type { Position } from '@sekali/core/position'
import type { Tx } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError, DataRefused } from '../postgres/errors.ts'
import { type BatchCounts, commitEvents } from './commit.ts'
import type { Received } from './copy.ts'
import { keepDeadLetters } from './dead-letters.ts'
import type { Turn } from './turn.ts'

/** An event and the entry that brought it. */
export interface ReceivedEntry extends Received {
  readonly position: Position
  readonly fields: readonly string[]
}

type Bisected = BatchCounts & Pick<Outcomes, 'dead'>

const none = { ...outcomesOf(() => 0), kept: 0 }

/**
 * Commits like `commitEvents`, but when PostgreSQL refuses the data, finds the events that it refuses by halving
 * and makes dead letters of these alone; their neighbours are stored, in order. It costs a savepoint for each
 * attempt, so a turn does it only after a plain commit has been refused.
 */
export async function commitBisecting(
  tx: Tx,
  turn: Turn,
  received: readonly ReceivedEntry[],
): Promise<Bisected> {
  if (received.length === 0) return none
  await tx.execute(sql`SAVEPOINT attempt`)
  try {
    const outcome = await commitEvents(tx, turn, received)
    await tx.execute(sql`RELEASE SAVEPOINT attempt`)
    return { ...none, ...outcome }
  } catch (error) {
    const cause = asStoreError(error, 'commit')
    if (!(cause instanceof DataRefused)) throw cause
    // Released as well, or each would hold one more subtransaction until COMMIT.
    await tx.$client.query('ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt')
    const [only] = received
    if (received.length === 1 && only !== undefined) {
      const kept = await keepDeadLetters(tx, turn, [{ ...only, reason: cause.reason }])
      return { ...none, dead: 1, kept }
    }
  }
  const middle = Math.ceil(received.length / 2)
  const left = await commitBisecting(tx, turn, received.slice(0, middle))
  const head = turn.head + left.stored
  const keptBytes = turn.keptBytes + left.kept
  return add(left, await commitBisecting(tx, { ...turn, head, keptBytes }, received.slice(middle)))
}
