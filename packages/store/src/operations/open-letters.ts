import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'

/** How many letters of each kind nobody has dealt with. */
export interface OpenLetters {
  readonly entries: number
  readonly conflicts: number
}

export interface CountedLetters {
  /** Of each topic that has some. */
  readonly ofTopics: ReadonlyMap<string, OpenLetters>
  /** Deliveries that were given up, of each subscription that has some, by its id, with the pattern of its topics. */
  readonly ofSubscriptions: ReadonlyMap<number, { readonly topics: string; readonly deliveries: number }>
}

const open = (kind: 'entry' | 'conflict', table: 'dead_letters' | 'conflicts') => `
  SELECT '${kind}' AS kind, l.topic_id, count(*) AS open FROM ${table} l
  LEFT JOIN operations.settled s ON s.kind = '${kind}' AND s.letter = l.id
  WHERE s.letter IS NULL GROUP BY l.topic_id`

const statement = `
  SELECT NULL::integer AS subscription, t.name AS topics,
    coalesce(sum(o.open) FILTER (WHERE o.kind = 'entry'), 0) AS entries,
    coalesce(sum(o.open) FILTER (WHERE o.kind = 'conflict'), 0) AS conflicts, 0 AS deliveries
  FROM (${open('entry', 'dead_letters')} UNION ALL ${open('conflict', 'conflicts')}) o
  JOIN topics t ON t.id = o.topic_id GROUP BY t.name
  UNION ALL
  SELECT s.id, s.topics, 0, 0, d.open
  FROM (SELECT subscription, count(*) AS open FROM subscriptions.dead WHERE state = 'open' GROUP BY 1) d
  JOIN subscriptions.subscriptions s ON s.id = d.subscription`

interface Row {
  readonly subscription: number | null
  readonly topics: string
  readonly entries: string
  readonly conflicts: string
  readonly deliveries: string
}

/** Rejects with `StoreUnavailable`. */
export async function countOpenLetters(store: Store): Promise<CountedLetters> {
  const { rows } = await store.pool.query<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'count of open letters')
  })
  const ofTopics = new Map<string, OpenLetters>()
  const ofSubscriptions = new Map<number, { topics: string; deliveries: number }>()
  for (const { subscription, topics, entries, conflicts, deliveries } of rows) {
    if (subscription === null)
      ofTopics.set(topics, { entries: Number(entries), conflicts: Number(conflicts) })
    else ofSubscriptions.set(subscription, { topics, deliveries: Number(deliveries) })
  }
  return { ofTopics, ofSubscriptions }
}
