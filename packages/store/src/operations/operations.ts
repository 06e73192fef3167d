import type { By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import { hasEnded, outcomeOf, whoOf, writing } from './functions.ts'

/** Which letters a redrive is about. Times are of receipt, UTC. */
export interface RedriveFilter {
  /** A topic or a pattern. */
  readonly topic?: string | undefined
  readonly reason?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** The number of one entry. */
  readonly id?: number | undefined
}

export type OperationState = 'running' | 'done' | 'cancelled' | 'failed'

/** An action that takes long. */
export interface Operation {
  readonly id: number
  readonly kind: 'redrive'
  readonly filter: RedriveFilter
  /** The number of the last entry that can be in it. */
  readonly asOf: number
  /** Letters a second. */
  readonly rate: number
  readonly state: OperationState
  /** How many letters there were when it began. */
  readonly matched: number
  /** How many of them it has come past, and what came of those. */
  readonly done: number
  readonly outcomes: Readonly<Record<string, number>>
  /** The number of the last letter that it has come past. */
  readonly checkpoint: number
  readonly createdAt: string
  readonly createdBy: string
  readonly finishedAt: string | null
  readonly error: string | null
}

export interface OperationsPage {
  /** Operations that are older than this one. */
  readonly before?: number | undefined
  readonly limit: number
}

/** A page, newest first. Rejects with `StoreUnavailable`. */
export async function listOperations(store: Store, { before, limit }: OperationsPage): Promise<Operation[]> {
  return await read(store, 'WHERE $1::bigint IS NULL OR o.id < $1 ORDER BY o.id DESC LIMIT $2', [
    before ?? null,
    limit,
  ])
}

/** `undefined` if there is none of that id. Rejects with `StoreUnavailable`. */
export async function findOperation(store: Store, id: number): Promise<Operation | undefined> {
  return (await read(store, 'WHERE o.id = $1', [id]))[0]
}

/** Whether one runs that nobody looks after, so that it is worth while to ask for its lease. */
export async function isOneLeft(store: Store): Promise<boolean> {
  const found = await read(
    store,
    `WHERE o.state = 'running' AND (o.lease_until IS NULL OR o.lease_until < clock_timestamp()) LIMIT 1`,
    [],
  )
  return found.length > 0
}

/**
 * Ends an operation where it is; safe twice. `over`: it has ended otherwise. `actor_ended`: as of letters. Rejects with
 * `StoreUnavailable`.
 */
export const cancelOperation = (
  store: Store,
  id: number,
  by: By,
): Promise<'cancelled' | 'over' | 'unknown' | 'actor_ended'> =>
  withTransaction(store, 'cancelling of an operation', async (tx) => {
    await writing(tx)
    if (await hasEnded(tx, by)) return 'actor_ended'
    return await outcomeOf(tx, 'operations.cancel($1, $2, $3)', [id, ...whoOf(by)])
  })

async function read(store: Store, rest: string, values: unknown[]): Promise<Operation[]> {
  const { rows } = await store.pool
    .query<OperationRow>(`SELECT ${operationColumns} FROM operations.operations o ${rest}`, values)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of operations')
    })
  return rows.map(operationOf)
}

export interface OperationRow {
  readonly id: string
  readonly kind: 'redrive'
  readonly filter: RedriveFilter
  readonly as_of: string
  readonly rate: number
  readonly state: OperationState
  readonly matched: string
  readonly done: string
  readonly outcomes: Record<string, number>
  readonly checkpoint: string
  readonly created: string
  readonly created_by: string
  readonly finished: string | null
  readonly error: string | null
}

/** Of `operations.operations o`. */
export const operationColumns = `o.id, o.kind, o.filter, o.as_of, o.rate, o.state, o.matched, o.done, o.outcomes,
  o.checkpoint, o.created_at::text AS created, o.created_by, o.finished_at::text AS finished, o.error`

export const operationOf = (row: OperationRow): Operation => ({
  id: Number(row.id),
  kind: row.kind,
  filter: row.filter,
  asOf: Number(row.as_of),
  rate: row.rate,
  state: row.state,
  matched: Number(row.matched),
  done: Number(row.done),
  outcomes: row.outcomes,
  checkpoint: Number(row.checkpoint),
  createdAt: utc(row.created),
  createdBy: row.created_by,
  finishedAt: row.finished === null ? null : utc(row.finished),
  error: row.error,
})
