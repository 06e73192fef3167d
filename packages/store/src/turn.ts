/**
 * The transaction is the lease. A consumer that holds the row lock of a topic, and nobody else, may read the
 * topic's stream and commit. There is no time-to-live, no clock and no election: a consumer that dies loses its
 * connection, PostgreSQL rolls back and the row is free; one that is paused loses its session after
 * `idle_in_transaction_session_timeout`, and what it tries when it wakes fails, because its transaction is gone.
 */
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from './connect.ts'
import { topics } from './schema.ts'

export interface Turn {
  readonly topicId: number
  readonly topic: TopicName
  readonly group: string | null
  readonly position: Position
  readonly accounted: number
  /** What the stream was like when a turn last looked: entries ever added, and the last id. */
  readonly seen: number
  readonly seenId: Position
  readonly head: number
}

/**
 * The turn of the first of `names`, in their order, whose turn nobody has; `undefined` when others have them all.
 * It lasts as long as the transaction.
 */
export async function takeTurn(tx: Tx, names: readonly TopicName[]): Promise<Turn | undefined> {
  const [row] = await tx
    .select()
    .from(topics)
    .where(inArray(topics.name, [...names]))
    .orderBy(sql`array_position(${sql.param(names)}::text[], ${topics.name})`)
    .limit(1)
    .for('update', { skipLocked: true })
  if (row === undefined) return undefined
  return {
    topicId: row.id,
    topic: row.name as TopicName,
    group: row.streamGroup,
    position: row.position as Position,
    accounted: row.accounted,
    seen: row.seen,
    seenId: row.seenId as Position,
    head: row.head,
  }
}

/** What a turn changes in its topic's row. */
export interface TurnResult {
  readonly group: string
  readonly position: Position
  readonly accounted: number
  readonly seen: number
  readonly seenId: Position
  readonly stored: number
  readonly duplicates: number
  readonly conflicts: number
  readonly dead: number
  readonly lost: number
  /** Whether Redis was found to have lost the stream or its end. */
  readonly foundLoss: boolean
}

/** Moves the position, and the counters with it, in the transaction that stored what it passes over. */
export async function endTurn(tx: Tx, turn: Turn, result: TurnResult): Promise<void> {
  await tx
    .update(topics)
    .set({
      streamGroup: result.group,
      position: result.position,
      accounted: result.accounted,
      seen: result.seen,
      seenId: result.seenId,
      ...(result.foundLoss && { lossAt: sql`clock_timestamp()` }),
      head: turn.head + result.stored,
      duplicates: sql`${topics.duplicates} + ${result.duplicates}`,
      conflicts: sql`${topics.conflicts} + ${result.conflicts}`,
      dead: sql`${topics.dead} + ${result.dead}`,
      lost: sql`${topics.lost} + ${result.lost}`,
    })
    .where(eq(topics.id, turn.topicId))
}
