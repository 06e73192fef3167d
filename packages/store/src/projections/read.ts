/** How projections are: versions, how far they have come, and what they could not fold. */
import type { SQL } from 'drizzle-orm'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { announcements, checkpoints, generations } from '../postgres/projections-schema.ts'
import { topics } from '../postgres/schema.ts'
import { orphanedMs } from './announce.ts'
import { type AsOfColumn, type AsOfEpochs, asOf, asOfIn, type WantsAsOf } from './as-of.ts'
import { astrayTopics } from './astray.ts'

export interface ProjectionStatus extends AsOfEpochs {
  readonly name: string
  readonly version: number
  /**
   * `building` as long as a definition is being folded from the start, also when there is a live one beside
   * it; `failed` when that got stuck, or what is on show and nothing is to take its place. `orphaned` when no
   * projector has its definition any more: it stays as it is.
   */
  readonly status: 'live' | 'building' | 'failed' | 'orphaned'
  readonly keyed: boolean
  /** Topics of which what is on show has folded events that a restore has taken away. It is being folded anew. */
  readonly astray?: readonly string[]
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
  const rows = await selectRows<GenerationRow>(
    store,
    sql`
      SELECT g.name, g.version, ${status} AS status, g.keyed, ${asOf(wantsAsOf)} AS as_of, ${astrayTopics(sql`g.id`)} AS astray,
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
  as_of: AsOfColumn
  astray: string[] | null
  failed_topic: string | null
  failed_seq: string | null
  failed_event_id: string | null
  failed_message: string | null
  lag: string
} & SkippedRow

export type SkippedRow = {
  skipped: string
  skipped_topic: string | null
  skipped_seq: string | null
  skipped_event_id: string | null
  skipped_message: string | null
}

export const skippedColumns = sql`g.skipped, g.skipped_topic, g.skipped_seq, g.skipped_event_id, g.skipped_message`

/** The first generation is the one on show, the second is to take its place. */
function statusOf([shown, next]: readonly GenerationRow[]): ProjectionStatus[] {
  if (shown === undefined) return []
  return [
    {
      name: shown.name,
      version: shown.version,
      status: shown.status,
      keyed: shown.keyed,
      ...asOfIn(shown.as_of),
      ...(shown.astray && { astray: shown.astray }),
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

export function skippedOf(row: SkippedRow): { readonly skipped?: Skipped } {
  if (Number(row.skipped) === 0) return {}
  const { skipped_topic: topic, skipped_seq: seq, skipped_event_id: eventId, skipped_message: message } = row
  const last = { topic: topic ?? '', seq: Number(seq), eventId: eventId ?? '', message: message ?? '' }
  return { skipped: { count: Number(row.skipped), last } }
}

const ownStatus = sql`CASE WHEN g.failed_message IS NULL THEN g.stage ELSE 'failed' END`

/** Of the generation on show: the one that is to take its place is what counts, if there is one. */
export const status = sql`
  CASE WHEN NOT EXISTS (
    SELECT FROM ${announcements} a WHERE a.name = g.name AND a.announced_at > now() - ${orphanedMs} * interval '1 ms'
  ) THEN 'orphaned'
  ELSE lead(${ownStatus}, 1, ${ownStatus}) OVER (PARTITION BY g.name ORDER BY g.stage = 'live' DESC) END`

export async function selectRows<T extends Record<string, unknown>>(
  store: Store,
  statement: SQL,
): Promise<T[]> {
  const { rows } = await store.db.execute<T>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of projections')
  })
  return rows as T[]
}
