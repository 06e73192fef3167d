import type { Evidence } from './evidence.ts'

/** What became of the events that were answered with yes. */
export interface Missing {
  readonly acknowledged: number
  /** How many of them are not in the log. */
  readonly missing: number
  /** What /stats counts as lost: entries, of which an event may have had several. */
  readonly lost: number
}

export function countMissing({ books, http, stats }: Pick<Evidence, 'books' | 'http' | 'stats'>): Missing {
  let missing = 0
  for (const [topic, events] of books.topics) {
    const stored = new Set(http.get(topic)?.map(({ id }) => id))
    for (const [id, { firstOk }] of events) if (firstOk !== undefined && !stored.has(id)) missing++
  }
  const lost = stats.values().reduce((sum, row) => sum + (row.lost ?? 0), 0)
  return { acknowledged: books.pace.acknowledged, missing, lost }
}
