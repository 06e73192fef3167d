/**
 * The transaction is the lease. A consumer that holds the row lock of a topic, and nobody else, may read the
 * topic's stream and commit. There is no expiry that a consumer has to watch, no clock and no election: a consumer that
 * dies loses its connection, PostgreSQL rolls back and the row is free; one that is paused loses its session after
 * `idle_in_transaction_session_timeout`, and what it tries when it wakes fails, because its transaction is gone.
 */
import { createHash } from 'node:crypto'
import type { Account, AccountAfter } from '@sekali/core/account'
import type { TopicName } from '@sekali/core/event'
import type { Outcomes } from '@sekali/core/figures'
import type { Position } from '@sekali/core/position'
import pg from 'pg'
import type { TagKind } from '../keys/content-tag.ts'
import { pepperIn } from '../keys/pepper.ts'
import { beginOn, type Store, type Tx, withOpening } from '../postgres/connect.ts'
import { stateOf } from '../postgres/errors.ts'
import { type Lineage, lineageColumns, lineageOf } from '../postgres/lineage.ts'
import { countedNames } from '../postgres/outcome-columns.ts'

/** A topic's row, locked. */
export interface Turn extends Account {
  readonly topicId: number
  readonly head: number
  /** The epoch of its log. */
  readonly epoch: number
  /** Bytes of content that are kept of the topic's conflicts and dead letters. */
  readonly keptBytes: number
  /** Whether ids are looked up by key: every event of the log has one, and the unique index of keys is there. */
  readonly keyed: boolean
  /** Read with the row: after a restore it may be another one. */
  readonly pepper: Buffer
  /** What counts as the same content under one event id. */
  readonly sameContent: TagKind
  /** The PostgreSQL that has the row. */
  readonly lineage: Lineage
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
    (client) => takeTurns(client, store.isPooled, names, max),
    async (tx, turns) => (turns.length === 0 ? undefined : await work(tx, turns)),
  )

/**
 * What begins and ends every turn, however few events it has. Prepared, and each in one message with BEGIN or COMMIT:
 * for a turn of one event that is half of what it costs. The names are looked up one by one until enough are free:
 * as `= ANY` with an order, they were a scan of all topics. That they come in their order is the work of the nested loop, SQL
 * does not promise it. In another order, topics that the consumer takes for tried would wait for the next sweep.
 */
const takeTurnsSql = `(text[], integer) AS
    SELECT t.*, (SELECT pepper FROM installation) AS pepper, ${lineageColumns}
    FROM unnest($1) AS n (name) CROSS JOIN LATERAL (
      SELECT id, name, stream_group, position, accounted, seen, seen_id, history, retired,
        head, kept_bytes, keyed, same_content, epoch FROM topics
      WHERE topics.name = n.name FOR UPDATE SKIP LOCKED
    ) t LIMIT $2`
const endTurnSql = `(integer, text, text, text, bigint, bigint, bigint, boolean, text, bigint,
    ${countedNames.map(() => 'bigint').join(', ')}) AS
    UPDATE topics SET
      stream_group = $2, position = $3, seen_id = $4, accounted = $5, seen = $6, head = $7,
      loss_at = CASE WHEN $8 THEN clock_timestamp() ELSE loss_at END,
      history = $9, retired = false, kept_bytes = kept_bytes + $10,
      ${countedNames.map((name, index) => `${name} = ${name} + $${11 + index}`).join(', ')}
    WHERE id = $1`

/** The names have what they stand for in them: behind a pooler, a session may have been used by another version of us. */
const nameOf = (sql: string) => `turns_${createHash('sha1').update(sql).digest('hex').slice(0, 12)}`
const takeTurnsName = nameOf(takeTurnsSql)
const endTurnName = nameOf(endTurnSql)
const prepareTurns = `PREPARE ${endTurnName} ${endTurnSql}; PREPARE ${takeTurnsName} ${takeTurnsSql}`

/**
 * Around these two statements. Their plan is the same for all values and any number of topics, but unless it is forced,
 * PostgreSQL plans them every time. It must not hold for the look-up of events (see postgres/connect.ts).
 */
const planOnce = 'SET LOCAL plan_cache_mode = force_generic_plan'
const planAnew = 'SET LOCAL plan_cache_mode = force_custom_plan'

/** The connections on which they are prepared, if nothing else uses their sessions. */
const prepared = new WeakSet<pg.PoolClient>()

/**
 * Each attempt after the first prepares what a session lacks, or finds prepared what another connection has. Which session the
 * next one gets is the pooler's choice: while half of them are prepared, every second attempt is in vain.
 */
const attemptsMax = 16

/** Begins a transaction and takes turns in it. */
async function takeTurns(
  client: pg.PoolClient,
  isPooled: boolean,
  names: readonly TopicName[],
  max: number,
): Promise<Turn[]> {
  // In quotes, because a topic may be called `null`. Several statements give several results.
  const list = pg.escapeLiteral(`{${names.map((name) => `"${name}"`).join(',')}}`)
  const take = `${planOnce}; EXECUTE ${takeTurnsName} (${list}, ${max}); ${planAnew}`
  let isPrepared = isPooled || prepared.has(client)
  for (let attempt = 1; ; attempt++) {
    try {
      const begin = isPrepared ? beginOn(client) : `${beginOn(client)}; ${prepareTurns}`
      const results: unknown = await client.query(`${begin}; ${take}`)
      prepared.add(client)
      return turnsIn((results as pg.QueryResult<Record<string, string>>[]).at(-2))
    } catch (error) {
      const state = stateOf(error)
      if (attempt === attemptsMax || (state !== notPrepared && state !== preparedAlready)) throw error
      isPrepared = state === preparedAlready
      await client.query('ROLLBACK')
    }
  }
}

const notPrepared = '26000'
const preparedAlready = '42P05'

function turnsIn(taken: pg.QueryResult<Record<string, string>> | undefined): Turn[] {
  const rows = taken?.rows ?? []
  return rows.map((row) => ({
    topicId: Number(row.id),
    topic: row.name as TopicName,
    group: row.stream_group ?? null,
    position: row.position as Position,
    accounted: Number(row.accounted),
    seen: Number(row.seen),
    seenId: row.seen_id as Position,
    history: row.history ?? null,
    retired: isTrue(row.retired),
    head: Number(row.head),
    epoch: Number(row.epoch),
    keptBytes: Number(row.kept_bytes),
    keyed: isTrue(row.keyed),
    pepper: pepperIn(row.pepper),
    sameContent: row.same_content === 'json' ? 'json' : 'bytes',
    lineage: lineageOf(row),
  }))
}

/** As PostgreSQL prints it, or as pg reads it. */
const isTrue = (value: unknown): boolean => String(value).startsWith('t')

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
  tx.closing.push(`EXECUTE ${endTurnName} (${values.join(', ')})`)
}
