/** Looks for gaps in the log, one after the other until none is left. */
import { fillLog } from '@sekali/testkit/fill-log'
import { ownStore } from '@sekali/testkit/own'
import type { Store } from '../src/postgres/connect.ts'
import { type GapLook, type GapPlace, lookForGaps } from '../src/read/gaps.ts'

export async function lookAll(store: Store): Promise<GapLook[]> {
  const looks: GapLook[] = []
  let place: GapPlace | undefined
  do {
    const look = await lookForGaps(store, place)
    looks.push(look)
    place = look.next
  } while (place !== undefined)
  return looks
}

export const seqsOf = (looks: readonly GapLook[]) => looks.reduce((sum, { seqs }) => sum + seqs, 0)
export const foundIn = (looks: readonly GapLook[]) => looks.flatMap(({ found }) => found)

export async function ownLog(heads: Record<string, number>) {
  const store = await ownStore()
  await fillLog(store, heads, { payload: `'{}'` })
  await store.pool.query('VACUUM ANALYZE events')
  return store
}
