/**
 * The transaction is the lease. A consumer that holds the row lock of a topic, and nobody else, may read the
 * topic's stream and commit. There is no expiry that a consumer has to watch, no clock and no election: a consumer that
 * dies loses its connection, PostgreSQL rolls back and the row is free; one that is paused loses its session after
 * `idle_in_transaction_session_timeout`, and what it tries when it wakes fails, because its transaction is gone.
 */
import type { Account, AccountAfter } from '@sekali/core/account'
import type { TopicName } from '@sekali/core/event'
import type { Outcomes } from '@sekali/core/figures'
import type { Position } from '@sekali/core/position'
import pg from 'pg'
import { type Store, type Tx, withOpening } from '../postgres/connect.ts'
import { countedNames } from '../postgres/outcome-columns.ts'

/** A topic's row, locked. */
export interface Turn extends Account {
  readonly topicId: number
  readonly head: number
  /** The epoch of its log. */
  readonly epoch: number
  /** Bytes of content that are kept of the topic's conflicts and dead letters. */
  readonly keptBytes: number
}

/**
 * Runs `work` in the turns of the first `max` of `names`, in their order, whose turns nobody has. When others have them all,
 * it is not run and the outcome is `undefined`. The turns last as long as the transaction. Rejects with
 * `StoreUnavailable` or `DataRefused`; see `withTransaction`.
 */
export const withTurns = <T>(
  store: Store,
  names: readonly TopicName[],
  max: number,
  work: (tx: Tx, turns: readonly Turn[]) => Promise<T>,
): Promise<T | undefined> =>
  withOpening(
    store,
    'turn',
    (client) => takeTurns(client, names, max),
    async (tx, turns) => (turns.length === 0 ? undefined : await work(tx, turns)),
  )

/**
 * What begins and ends every turn, however few events it has. Prepared, and each in one message with BEGIN or COMMIT:
 * for a turn of one event that is half of what it costs. The names are looked up one by one until enough are free:
 * as `= ANY` with an order, they were a scan of all topics. That they come in their order is the work of the nested loop, SQL
 * does not promise it. In another order, topics that the consumer takes for tried would wait for the next sweep.
 */
const prepareTurns = `
  PREPARE take_turns (text[], integer) AS
    SELECT t.* FROM unnest($1) AS n (name) CROSS JOIN LATERAL (
      SELECT id, name, stream_group, position, accounted, seen, seen_id, history, retired,
        head, kept_bytes, epoch FROM topics
      WHERE topics.name = n.name FOR UPDATE SKIP LOCKED
    ) t LIMIT $2;
  PREPARE end_turn (integer, text, text, text, bigint, bigint, bigint, boolean, text, bigint,
    ${countedNames.map(() => 'bigint').join(', ')}) AS
    UPDATE topics SET
      stream_group = $2, position = $3, seen_id = $4, accounted = $5, seen = $6, head = $7,
      loss_at = CASE WHEN $8 THEN clock_timestamp() ELSE loss_at END,
      history = $9, retired = false, kept_bytes = kept_bytes + $10,
      ${countedNames.map((name, index) => `${name} = ${name} + $${11 + index}`).join(', ')}
    WHERE id = $1`

/**
 * Around these two statements. Their plan is the same for all values and any number of topics, but unless it is forced,
 * PostgreSQL plans them every time. It must not hold for the look-up of events (see postgres/connect.ts).
 */
const planOnce = 'SET LOCAL plan_cache_mode = force_generic_plan'
const planAnew = 'SET LOCAL plan_cache_mode = force_custom_plan'

/** The connections on which they are prepared. */
const prepared = new WeakSet<pg.PoolClient>()

/** Begins a transaction and takes turns in it. */
async function takeTurns(client: pg.PoolClient, names: readonly TopicName[], max: number): Promise<Turn[]> {
  if (!prepared.has(client)) {
    await client.query(prepareTurns)
    prepared.add(client)
  }
  // In quotes, because a topic may be called `null`. Several statements give several results.
  const list = pg.escapeLiteral(`{${names.map((name) => `"${name}"`).join(',')}}`)
  const results: unknown = await client.query(
    `BEGIN; ${planOnce}; EXECUTE take_turns (${list}, ${max}); ${planAnew}`,
  )
  const [, , taken] = results as [unknown, unknown, pg.QueryResult<Record<string, string>>, unknown]
  return taken.rows.map((row) => ({
    topicId: Number(row.id),
    topic: row.name as TopicName,
    group: row.stream_group ?? null,
    position: row.position as Position,
    accounted: Number(row.accounted),
    seen: Number(row.seen),
    seenId: row.seen_id as Position,
    history: row.history ?? null,
    // As PostgreSQL prints it, or as pg reads it.
    retired: String(row.retired).startsWith('t'),
    head: Number(row.head),
    epoch: Number(row.epoch),
    keptBytes: Number(row.kept_bytes),
  }))
}

/** What a turn changes in its topic's row. */
export interface TurnResult extends AccountAfter, Outcomes {
  readonly group: string
  /** Whether Redis was found to have lost the stream or its end. */
  readonly foundLoss: boolean
  /** Bytes of content that were kept of conflicts and dead letters. */
  readonly kept?: number
}

/**
 * Queues what moves the position, and the counters with it. It runs in the transaction that stored what the position
 * passes over: with its last message, along with COMMIT.
 */
export function queueTurnEnd(tx: Tx, turn: Turn, result: TurnResult): void {
  const { group, position, seenId, foundLoss } = result
  const values = [
    turn.topicId,
    ...[group, position, seenId].map((text) => pg.escapeLiteral(text)),
    result.accounted,
    result.seen,
    turn.head + result.stored,
    foundLoss || result.lost > 0,
    result.history === null ? 'NULL' : pg.escapeLiteral(result.history),
    result.kept ?? 0,
    ...countedNames.map((name) => result[name]),
  ]
  if (!tx.closing.includes(planOnce)) tx.closing.push(planOnce)
  tx.closing.push(`EXECUTE end_turn (${values.join(', ')})`)
}
