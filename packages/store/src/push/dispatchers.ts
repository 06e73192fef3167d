/** Dispatchers: which of them run, and what each has to see to. */
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import { callOnce, literal } from '../subscriptions/call.ts'

export interface Dispatcher {
  /** A UUID. */
  readonly id: string
  readonly name: string
  /** When it last said that it runs (UTC). */
  readonly at: string
  readonly live: boolean
}

/** Those that run, or ran within an hour, by name. Rejects with `StoreUnavailable`. */
export async function readDispatchers(store: Store): Promise<Dispatcher[]> {
  const { rows } = await store.pool
    .query<Dispatcher>(
      `SELECT d.id, d.name, d.at::text AS at, d.at > clock_timestamp() - interval '5 s' AS live
       FROM subscriptions.dispatchers d ORDER BY d.name, d.id`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of dispatchers')
    })
  return rows.map(({ at, ...rest }) => ({ ...rest, at: utc(at) }))
}

/**
 * Says that a dispatcher runs, or with `leaves` that it does not, and gives the ids of those that do. Where nobody says it for
 * five seconds, others take over what it had. Rejects with `StoreUnavailable`.
 */
export async function beat(
  store: Store,
  { id, name, leaves = false }: { readonly id: string; readonly name: string; readonly leaves?: boolean },
): Promise<string[]> {
  const rows = await callOnce<{ id: string }>(
    store,
    'word of a dispatcher',
    `SELECT b AS id FROM subscriptions.push_beat(${literal(id)}::uuid, ${literal(name)}, ${leaves}) b`,
  )
  return rows.map((row) => row.id)
}
