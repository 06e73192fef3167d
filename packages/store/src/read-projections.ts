/**
 * What projections say, each answer from one statement and so from one moment: the states are the fold of exactly the
 * events up to the checkpoints that come with them.
 */
import type { SQL } from 'drizzle-orm'
import { orphanedMs } from './announce-projections.ts'
import { type AsOf, asOf, type WantsAsOf } from './as-of.ts'
import { type Store, withTransaction } from './connect.ts'
import { sql } from './drizzle.ts'
import { asStoreError } from './errors.ts'
import { pageBytesMax } from './row.ts'
import { announcements, checkpoints, generations, states, topics } from './schema.ts'

export interface ProjectionStatus {
  readonly name: string
  readonly version: number
  /**
   * `building` as long as a definition is being folded from the start, also when there is a live one beside
   * it; `failed` when that got stuck, or what is on show and nothing is to take its place. `orphaned` when no
   * projector has its definition any more: it stays as it is.
   */
  readonly status: 'live' | 'building' | 'failed' | 'orphaned'
  readonly keyed: boolean
  readonly asOf: AsOf
  /** How many events are still to be folded. */
  readonly lag: number
  /** Where what is on show got stuck, and why. */
  readonly error?: ProjectionError
  /** Events that its definition could not fold and skips. */
  readonly skipped?: Skipped
  /** What is being folded to take the place of what is on show. It may get stuck by itself. */
  readonly rebuild?: {
    readonly version: number
    readonly status: 'building' | 'failed'
    readonly lag: number
    readonly error?: ProjectionError
    readonly skipped?: Skipped
  }
}

export interface Skipped {
  readonly count: number
  readonly last: ProjectionError
}

/** The event that cannot be folded. */
export interface ProjectionError {
  readonly topic: string
  readonly seq: number
  readonly eventId: string
  readonly message: string
}

/** All projections, by name, or the one of a name. Rejects with `StoreUnavailable`. */
export async function readProjections(
  store: Store,
  only?: string,
  wantsAsOf?: WantsAsOf,
): Promise<ProjectionStatus[]> {
  const rows = await ask<GenerationRow>(
    store,
    sql`
      SELECT g.name, g.version, ${status} AS status, g.keyed, ${asOf(wantsAsOf)} AS as_of,
        g.failed_topic, g.failed_seq, g.failed_event_id, g.failed_message, ${skippedColumns},
        (SELECT coalesce(sum(t.head - coalesce(c.seq, 0)), 0) FROM ${topics} t
          LEFT JOIN ${checkpoints} c ON c.generation_id = g.id AND c.topic_id = t.id
          WHERE CASE WHEN t.head > coalesce(c.seq, 0) THEN t.name ~ g.topic_regex END) AS lag
      FROM ${generations} g WHERE g.stage <> 'retired' AND ${only === undefined ? sql`true` : sql`g.name = ${only}`}
      ORDER BY g.name, g.stage = 'live' DESC`,
  )
  return [...Map.groupBy(rows, ({ name }) => name).values()].flatMap(statusOf)
}

// Types and not interfaces, because execute() asks for an index signature.
type GenerationRow = {
  name: string
  version: number
  status: ProjectionStatus['status']
  keyed: boolean
  as_of: AsOf
  failed_topic: string | null
  failed_seq: string | null
  failed_event_id: string | null
  failed_message: string | null
  lag: string
} & SkippedRow

type SkippedRow = {
  skipped: string
  skipped_topic: string | null
  skipped_seq: string | null
  skipped_event_id: string | null
  skipped_message: string | null
}

const skippedColumns = sql`g.skipped, g.skipped_topic, g.skipped_seq, g.skipped_event_id, g.skipped_message`

/** The first generation is the one on show, the second is to take its place. */
function statusOf([shown, next]: readonly GenerationRow[]): ProjectionStatus[] {
  if (shown === undefined) return []
  return [
    {
      name: shown.name,
      version: shown.version,
      status: shown.status,
      keyed: shown.keyed,
      asOf: shown.as_of,
      lag: Number(shown.lag),
      ...errorOf(shown),
      ...skippedOf(shown),
      ...(next === undefined ? {} : { rebuild: rebuildOf(next) }),
    },
  ]
}

const rebuildOf = (next: GenerationRow) => ({
  version: next.version,
  status: next.failed_message === null ? ('building' as const) : ('failed' as const),
  lag: Number(next.lag),
  ...errorOf(next),
  ...skippedOf(next),
})

function errorOf(row: GenerationRow): { readonly error?: ProjectionError } {
  if (row.failed_message === null) return {}
  const { failed_topic: topic, failed_seq: seq, failed_event_id: eventId, failed_message: message } = row
  return { error: { topic: topic ?? '', seq: Number(seq), eventId: eventId ?? '', message } }
}

function skippedOf(row: SkippedRow): { readonly skipped?: Skipped } {
  if (Number(row.skipped) === 0) return {}
  const { skipped_topic: topic, skipped_seq: seq, skipped_event_id: eventId, skipped_message: message } = row
  const last = { topic: topic ?? '', seq: Number(seq), eventId: eventId ?? '', message: message ?? '' }
  return { skipped: { count: Number(row.skipped), last } }
}

/** What is said with a state. */
export interface Shown extends Pick<ProjectionStatus, 'version' | 'status' | 'asOf' | 'skipped'> {
  /** Changes whenever the states that it comes with do, and with each rebuild. */
  readonly tag: string
}

export interface ProjectionState extends Shown {
  /** JSON; `null` for a key that there is not. */
  readonly state: string | null
}

/** The state of a key; `undefined` when there is no such projection. Rejects with `StoreUnavailable`. */
export async function readState(
  store: Store,
  name: string,
  key: string,
  wantsAsOf?: WantsAsOf,
): Promise<ProjectionState | undefined> {
  const rows = await ask<ShownRow & { state: string | null; revision: string }>(
    store,
    sql`
      SELECT g.id, g.version, g.status, ${skippedColumns}, ${asOf(wantsAsOf)} AS as_of, coalesce(s.revision, 0) AS revision, s.state::text AS state
      FROM (${shownGeneration(name)}) g
      LEFT JOIN ${states} s ON s.generation_id = g.id AND s.key = ${key}`,
  )
  return rows.map((row) => ({ ...shownOf(row, row.revision), state: row.state }))[0]
}

export interface StatesPage extends Shown {
  /** JSON, of a projection without keys; `null` if it has some. */
  readonly state: string | null
  readonly keys: readonly { readonly key: string; readonly state: string }[]
  /** Whether keys follow on this page. */
  readonly more: boolean
}

/**
 * The states of the keys after `after`, in the order of their bytes, up to where they fill a page; or the
 * state of a projection without keys. `undefined` when there is no such projection. Rejects with
 * `StoreUnavailable`.
 */
export async function readStatesPage(
  store: Store,
  name: string,
  {
    after,
    limit,
    wantsAsOf,
  }: { readonly after: string; readonly limit: number; readonly wantsAsOf?: WantsAsOf },
): Promise<StatesPage | undefined> {
  // One more than asked for tells whether there is another page.
  const rows = await ask<PageRow>(
    store,
    sql`
      SELECT g.id, g.version, g.status, ${skippedColumns}, coalesce(p.revision, s.revision) AS revision,
        -- Of all topics, and so with the first key only: it may be longer than all the states.
        CASE WHEN coalesce(p.at, 1) = 1 THEN ${asOf(wantsAsOf)} END AS as_of,
        CASE WHEN NOT g.keyed THEN coalesce(s.state, g.initial)::text END AS only_state, p.key, p.state, p.more
      FROM (${shownGeneration(name)}) g
      LEFT JOIN ${states} s ON s.generation_id = g.id AND s.key = '' AND NOT g.keyed
      LEFT JOIN LATERAL (
        SELECT key, state, revision, more, at FROM (
          SELECT key, state, revision, row_number() OVER page AS at, lead(true, 1, false) OVER page AS more,
            coalesce(sum(octet_length(state)) OVER (page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes
          FROM (
            SELECT key, state::text AS state, revision FROM ${states}
            WHERE generation_id = g.id AND key > ${after} ORDER BY key LIMIT ${limit + 1}
          ) s
          WINDOW page AS (ORDER BY key)
        ) s
        WHERE at <= ${limit} AND bytes < ${pageBytesMax}
      ) p ON true
      ORDER BY p.key`,
  )
  const [first] = rows
  if (first === undefined) return undefined
  const keys = rows.flatMap(({ key, state }) => (key === null || state === null ? [] : [{ key, state }]))
  const more = rows.at(-1)?.more ?? false
  // No key is ever taken away, so whatever changes a page brings a later revision onto it, or a first key
  // behind it.
  const latest = Math.max(...rows.map(({ revision }) => Number(revision)))
  const skips = first.skipped === '0' ? '' : `-${first.skipped}`
  return { ...shownOf(first, `${latest}${more ? '-more' : ''}${skips}`), state: first.only_state, keys, more }
}

// Types and not interfaces, because execute() asks for an index signature.
type ShownRow = {
  id: number
  version: number
  status: ProjectionStatus['status']
  as_of: AsOf
} & SkippedRow

type PageRow = ShownRow & {
  only_state: string | null
  key: string | null
  state: string | null
  revision: string | null
  more: boolean | null
}

function shownOf(row: ShownRow, revision: string): Shown {
  const { id, version, status, as_of } = row
  return { version, status, asOf: as_of, ...skippedOf(row), tag: `${id}-${revision}` }
}

const ownStatus = sql`CASE WHEN g.failed_message IS NULL THEN g.stage ELSE 'failed' END`

/** Of the generation on show: the one that is to take its place is what counts, if there is one. */
const status = sql`
  CASE WHEN NOT EXISTS (
    SELECT FROM ${announcements} a WHERE a.name = g.name AND a.announced_at > now() - ${orphanedMs} * interval '1 ms'
  ) THEN 'orphaned'
  ELSE lead(${ownStatus}, 1, ${ownStatus}) OVER (PARTITION BY g.name ORDER BY g.stage = 'live' DESC) END`

/** The generation that is on show: the live one, or else the first that is being built. */
const shownGeneration = (name: string): SQL => sql`
  SELECT g.*, ${status} AS status FROM ${generations} g
  WHERE g.name = ${name} AND g.stage <> 'retired' ORDER BY g.stage = 'live' DESC LIMIT 1`

/**
 * Asks for a projection to be folded anew beside what is on show; false when there is none of that name. Rejects with
 * `StoreUnavailable`.
 */
export async function requestRebuild(store: Store, name: string): Promise<boolean> {
  // The gateway's sessions only read, unless a transaction says otherwise. The function has its owner's rights.
  return await withTransaction(store, 'request of a rebuild', async (tx) => {
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    const { rows } = await tx.execute<{ found: boolean }>(
      sql`SELECT projections.request_rebuild(${name}) AS found`,
    )
    return rows[0]?.found ?? false
  })
}

async function ask<T extends Record<string, unknown>>(store: Store, statement: SQL): Promise<T[]> {
  const { rows } = await store.db.execute<T>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of projections')
  })
  return rows as T[]
}
