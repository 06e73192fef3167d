/**
 * The transaction is the lease, as in a consumer's turn: whoever holds the lock of a generation's row, and nobody else,
 * may fold events into its states. States, checkpoints and revision change together or not at all, so each event
 * counts once whatever is killed. What is more, whoever writes says which revision it has read, and is refused when
 * that is not the current one: no two writers can fold onto the same states, even if a lock were to fail.
 */
import { SekaliError } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { EpochPlace } from '@sekali/core/fork'
import type { SQL } from 'drizzle-orm'
import type { Tx } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError, DataRefused } from '../postgres/errors.ts'
import { checkpoints, generations, states } from '../postgres/projections-schema.ts'
import { topics } from '../postgres/schema.ts'
import { textArray } from '../postgres/text-array.ts'
import { isAstray } from './astray.ts'

export interface Generation {
  readonly id: number
  readonly name: string
  readonly version: number
  readonly stage: 'live' | 'building'
  readonly revision: number
}

/** A topic that has more than has been folded of it. */
export interface Behind {
  readonly topicId: number
  readonly topic: TopicName
  /** The last seq that has been folded. */
  readonly seq: number
  readonly head: number
  /** The epoch of its log. */
  readonly epoch: number
}

/** Somebody else has written since this writer has read. */
export class StaleRevision extends SekaliError {
  readonly code = 'stale_revision'
  readonly retryable = true
}

/**
 * The turn of a generation that has something to fold, or is level and has yet to go live: of the first, in the order
 * of `wanted`, that nobody has and that has not failed; or of one that is astray, unless its successor is under way. It is
 * `undefined` when there is none, and lasts as long as the transaction. Of a name it is only the definition that the caller can fold: that version, of that file.
 */
export async function takeProjectionTurn(
  tx: Tx,
  wanted: readonly { readonly name: string; readonly version: number; readonly hash: string }[],
): Promise<Generation | undefined> {
  const names = textArray(wanted.map(({ name }) => name))
  const versions = sql.param(wanted.map(({ version }) => version))
  const hashes = textArray(wanted.map(({ hash }) => hash))
  const { rows } = await tx.execute<GenerationRow>(sql`
    SELECT g.id, g.name, g.version, g.stage, g.revision FROM ${generations} g
    JOIN unnest(${names}::text[], ${versions}::int[], ${hashes}::text[])
      WITH ORDINALITY AS w (name, version, hash, at)
      ON w.name = g.name AND w.version = g.version AND w.hash = g.hash
    WHERE g.stage <> 'retired' AND CASE
      WHEN ${isAstray(sql`g.id`)} THEN g.stage = 'building' OR NOT EXISTS (
        SELECT FROM ${generations} b WHERE b.name = g.name AND b.stage = 'building')
      ELSE g.failed_message IS NULL AND (g.stage = 'building' OR ${hasBehind})
    END
    ORDER BY w.at, random() -- of two generations of a name neither waits for the other
    LIMIT 1 FOR UPDATE OF g SKIP LOCKED`)
  const [row] = rows
  return row && { ...row, revision: Number(row.revision) }
}

// A type and not an interface, because execute() asks for an index signature.
type GenerationRow = Omit<Generation, 'revision'> & { revision: string }

const toFold = (id: SQL) => sql`
  ${topics} t LEFT JOIN ${checkpoints} c ON c.generation_id = ${id} AND c.topic_id = t.id WHERE t.head > 0`
const isBehind = sql`t.head > coalesce(c.seq, 0)`

// An aggregate, and not EXISTS: for the sake of a first row, which a generation that is level does not have, PostgreSQL would
// look up each topic's checkpoint by itself. Of 26,000 topics that took twice as long, each second and in each turn.
const hasBehind = sql`(SELECT bool_or(t.name ~ g.topic_regex) FROM ${toFold(sql`g.id`)} AND ${isBehind})`

/**
 * The topics of which there is more to fold, `max` at most. Which come first is up to `from`, a share of their ids by
 * chance: with any fixed order a busy topic could starve another one.
 */
export async function readBehind(tx: Tx, { id }: Generation, from: number, max: number): Promise<Behind[]> {
  // By id in two parts, so that PostgreSQL ends once it has as many as are wanted: of 26,000 topics a rebuild else had all
  // joined and sorted for each thousand.
  // CASE: the pattern is held against those that are behind, and not against all names there are. PostgreSQL would begin
  // with it, and take it for so selective that it looked up the checkpoint of each topic by itself.
  const part = (ids: SQL) => sql`(
    SELECT t.id AS "topicId", t.name AS topic, coalesce(c.seq, 0) AS seq, t.head, t.epoch FROM ${toFold(sql`${id}::int`)}
    AND CASE WHEN ${isBehind} THEN t.name ~ (SELECT topic_regex FROM ${generations} WHERE id = ${id}) END
    AND ${ids} ORDER BY t.id LIMIT ${max})`
  const pivot = sql`(SELECT (max(id) * ${from}::float8)::int FROM ${topics})`
  const { rows } = await tx.execute<BehindRow>(sql`
    ${part(sql`t.id >= ${pivot}`)} UNION ALL ${part(sql`t.id < ${pivot}`)} LIMIT ${max}`)
  // Once more: where few topics match, nearly every place is behind all of them, or before.
  const cut = Math.floor(from * rows.length)
  return [...rows.slice(cut), ...rows.slice(0, cut)].map((row) => ({
    ...row,
    seq: Number(row.seq),
    head: Number(row.head),
  }))
}

// A type and not an interface, because execute() asks for an index signature.
type BehindRow = Omit<Behind, 'seq' | 'head'> & { seq: string; head: string }

/** The states of those of `keys` that have one, as JSON. */
export async function readStates(
  tx: Tx,
  { id }: Generation,
  keys: readonly string[],
): Promise<Map<string, string>> {
  // OFFSET 0: a descent of the index for each key, whatever the planner thinks; see commit.ts.
  const { rows } = await tx.execute<{ key: string; state: string }>(sql`
    SELECT k.key, s.state FROM unnest(${textArray(keys)}::text[]) AS k (key)
    CROSS JOIN LATERAL (
      SELECT state::text FROM ${states} WHERE generation_id = ${id} AND key = k.key OFFSET 0
    ) s`)
  return new Map(rows.map(({ key, state }) => [key, state]))
}

/** Up to where a topic has been folded. */
export interface Checkpoint extends EpochPlace {
  readonly topicId: number
}

/** What a turn changes. */
export interface Progress {
  /** The new states by key, as JSON. */
  readonly states: ReadonlyMap<string, string>
  readonly checkpoints: readonly Checkpoint[]
  /** The event that could not be folded. */
  readonly failure?: ProjectionFailure | undefined
  /** Events that could not be folded and are left out. */
  readonly skipped?: { readonly count: number; readonly last: ProjectionFailure } | undefined
}

export interface ProjectionFailure {
  readonly topic: string
  readonly seq: number
  readonly eventId: string
  readonly message: string
}

/** Writes what a turn has folded. Rejects with `StaleRevision` when the generation has changed since it was read. */
export async function endProjectionTurn(
  tx: Tx,
  { id, name, revision }: Generation,
  { states: changed, checkpoints: moved, failure, skipped }: Progress,
): Promise<void> {
  const { rowCount } = await tx.execute(sql`
    UPDATE ${generations} SET revision = revision + 1,
      failed_topic = ${failure?.topic ?? null}, failed_seq = ${failure?.seq ?? null},
      failed_event_id = ${failure?.eventId ?? null}, failed_message = ${failure?.message ?? null}
      ${skipped === undefined ? sql`` : addSkipped(skipped)}
    WHERE id = ${id} AND revision = ${revision} AND stage <> 'retired'`)
  if (rowCount !== 1) throw new StaleRevision(`projection ${name} is no longer at revision ${revision}`)
  if (moved.length > 0) {
    await tx.execute(sql`
      INSERT INTO ${checkpoints} (generation_id, topic_id, epoch, seq)
      SELECT ${id}, * FROM unnest(
        ${sql.param(moved.map(({ topicId }) => topicId))}::int[],
        ${sql.param(moved.map(({ epoch }) => epoch))}::int[],
        ${sql.param(moved.map(({ seq }) => seq))}::bigint[])
      ON CONFLICT (generation_id, topic_id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq`)
  }
  if (changed.size > 0) {
    await tx.execute(sql`
      INSERT INTO ${states} (generation_id, key, state, revision)
      SELECT ${id}, k.key, k.state::json, ${revision + 1}
      FROM unnest(${textArray([...changed.keys()])}::text[], ${textArray([...changed.values()])}::text[]) AS k (key, state)
      ON CONFLICT (generation_id, key) DO UPDATE SET state = excluded.state, revision = excluded.revision`)
  }
}

const addSkipped = ({ count, last }: NonNullable<Progress['skipped']>) => sql`
  , skipped = skipped + ${count}, skipped_topic = ${last.topic}, skipped_seq = ${last.seq},
  skipped_event_id = ${last.eventId}, skipped_message = ${last.message}`

/**
 * Like {@link endProjectionTurn}, for a turn of one event: when PostgreSQL refuses what came of it, the projection fails
 * at this event. Resolves with the reason then. It costs a savepoint.
 */
export async function endSuspectedTurn(
  tx: Tx,
  generation: Generation,
  progress: Progress,
  event: Omit<ProjectionFailure, 'message'>,
): Promise<string | undefined> {
  await tx.execute(sql`SAVEPOINT suspected`)
  try {
    await endProjectionTurn(tx, generation, progress)
    return undefined
  } catch (error) {
    const cause = asStoreError(error, 'write of states')
    if (!(cause instanceof DataRefused)) throw cause
    await tx.execute(sql`ROLLBACK TO SAVEPOINT suspected`)
    const message = `PostgreSQL refuses the state (SQLSTATE ${cause.sqlState})`
    await endProjectionTurn(tx, generation, {
      states: new Map(),
      checkpoints: [],
      failure: { ...event, message },
    })
    return message
  }
}

/** Keeps the live generation as it is for as long as the transaction lasts, so that another one can overtake it. */
export async function holdLive(tx: Tx, { name }: Generation): Promise<void> {
  await tx.execute(sql`SELECT FROM ${generations} WHERE name = ${name} AND stage = 'live' FOR UPDATE`)
}

/** Makes a generation that was being built the live one, and retires the live one. */
export async function goLive(tx: Tx, { id, name }: Generation): Promise<void> {
  await tx.execute(sql`UPDATE ${generations} SET stage = 'retired' WHERE name = ${name} AND stage = 'live'`)
  await tx.execute(sql`UPDATE ${generations} SET stage = 'live' WHERE id = ${id} AND stage = 'building'`)
}
