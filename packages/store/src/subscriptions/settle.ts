/** A worker says what became of events. One function of the database is the whole of it: see the migrations. */
import { StoreUnavailable } from '@sekali/core/errors'
import type { SettleResult } from '@sekali/core/subscription'
import type { Store } from '../postgres/connect.ts'
import { callOnce, literal, literals } from './call.ts'
import type { SettledItem, SettleItem } from './types.ts'

/**
 * Settles, in the order of the items: all of them or none. A token that is used twice settles once. `unknown`: there is no
 * such subscription. Rejects with `StoreUnavailable`; then it may have happened, and the same again says `already_settled`.
 */
export async function settle(
  store: Store,
  { name, items }: { readonly name: string; readonly items: readonly SettleItem[] },
): Promise<SettledItem[] | 'unknown'> {
  const values = [
    literal(name),
    literals(
      items.map(({ token }) => token),
      'text',
    ),
    literals(
      items.map((item) => item.do),
      'text',
    ),
    literals(
      items.map(({ delaySeconds }) => delaySeconds),
      'integer',
    ),
    literals(
      items.map(({ reason }) => reason?.toWellFormed()),
      'text',
    ),
  ]
  const statement = `SELECT subscriptions.settle(${values.join(', ')}) AS results`
  const rows = await callOnce<{ results: SettleResult[] | null }>(store, 'settling', statement)
  const results = rows[0]?.results
  if (results === undefined) throw new StoreUnavailable('settling failed: no answer')
  if (results === null) return 'unknown'
  return items.map(({ token }, index) => ({ token, result: results[index] ?? 'unknown' }))
}
