import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'

/** How much of a stream is accounted for. */
export interface Accounted {
  /** The incarnation that is counted, or `null` when the topic has had no turn yet. */
  readonly group: string | null
  /** Entries. */
  readonly accounted: number
}

/** Of each of the topics that there are. Rejects with `StoreUnavailable`. */
export async function readAccounted(
  store: Store,
  topics: readonly TopicName[],
): Promise<Map<TopicName, Accounted>> {
  const text = 'SELECT name, stream_group, accounted FROM topics WHERE name = ANY ($1::text[])'
  const { rows } = await store.pool
    .query<[name: TopicName, group: string | null, accounted: string]>({
      text,
      values: [topics],
      rowMode: 'array',
    })
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of accounts')
    })
  return new Map(rows.map(([name, group, accounted]) => [name, { group, accounted: Number(accounted) }]))
}

/** Up to where each of the topics that there are is accounted for. Rejects with `StoreUnavailable`. */
export async function readPositions(
  store: Store,
  topics: readonly TopicName[],
): Promise<Map<TopicName, Position>> {
  const text = 'SELECT name, position FROM topics WHERE name = ANY ($1::text[])'
  const { rows } = await store.pool
    .query<[name: TopicName, position: Position]>({ text, values: [topics], rowMode: 'array' })
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of positions')
    })
  return new Map(rows)
}
