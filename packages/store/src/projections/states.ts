/**
 * What projections say, each answer from one statement and so from one moment: the states are the fold of exactly the
 * events up to the checkpoints that come with them.
 */
import type { SQL } from 'drizzle-orm'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { generations, states } from '../postgres/projections-schema.ts'
import { pageBytesMax } from '../read/row.ts'
import { type AsOfColumn, asOf, asOfIn, type WantsAsOf } from './as-of.ts'
import {
  type ProjectionStatus,
  type SkippedRow,
  selectRows,
  skippedColumns,
  skippedOf,
  status,
} from './read.ts'

/** What is said with a state. */
export interface Shown extends Pick<ProjectionStatus, 'version' | 'status' | 'asOf' | 'epochs' | 'skipped'> {
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
  const rows = await selectRows<ShownRow & { state: string | null; revision: string }>(
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
  const rows = await selectRows<PageRow>(
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
  as_of: AsOfColumn
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
  return { version, status, ...asOfIn(as_of), ...skippedOf(row), tag: `${id}-${revision}` }
}

/** The generation that is on show: the live one, or else the first that is being built. */
const shownGeneration = (name: string): SQL => sql`
  SELECT g.*, ${status} AS status FROM ${generations} g
  WHERE g.name = ${name} AND g.stage <> 'retired' ORDER BY g.stage = 'live' DESC LIMIT 1`
