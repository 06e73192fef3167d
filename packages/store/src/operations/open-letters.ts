import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'

/** How many letters of each kind nobody has dealt with. */
export interface OpenLetters {
  readonly entries: number
  readonly conflicts: number
}

const open = (kind: 'entry' | 'conflict', table: 'dead_letters' | 'conflicts') => `
  SELECT '${kind}' AS kind, l.topic_id, count(*) AS open FROM ${table} l
  LEFT JOIN operations.settled s ON s.kind = '${kind}' AND s.letter = l.id
  WHERE s.letter IS NULL GROUP BY l.topic_id`

const statement = `
  SELECT t.name AS topic, coalesce(sum(o.open) FILTER (WHERE o.kind = 'entry'), 0) AS entries,
    coalesce(sum(o.open) FILTER (WHERE o.kind = 'conflict'), 0) AS conflicts
  FROM (${open('entry', 'dead_letters')} UNION ALL ${open('conflict', 'conflicts')}) o
  JOIN topics t ON t.id = o.topic_id GROUP BY t.name`

/** Of each topic that has open letters. Rejects with `StoreUnavailable`. */
export async function countOpenLetters(store: Store): Promise<ReadonlyMap<string, OpenLetters>> {
  const { rows } = await store.pool
    .query<{ topic: string; entries: string; conflicts: string }>(statement)
    .catch((error: unknown) => {
      throw asStoreError(error, 'count of open letters')
    })
  return new Map(
    rows.map(({ topic, entries, conflicts }) => [
      topic,
      { entries: Number(entries), conflicts: Number(conflicts) },
    ]),
  )
}
