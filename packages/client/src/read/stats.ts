import type { Stats, TopicFigures } from '../answers.ts'
import { type Connection, call, jsonOf, nextQuery, search } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'

export interface StatsOptions extends CallOptions {
  /** Only this topic, or those of a pattern; the totals are over all of them in any case. */
  readonly topic?: string
}

/** The figures of all topics, or of those that are wanted, page after page. The totals are those of the first page. */
export async function readStats(
  connection: Connection,
  { topic, ...options }: StatsOptions = {},
): Promise<Stats> {
  const first = await page(connection, search({ topic }), options)
  const topics: TopicFigures[] = [...(first.stats.topics ?? [])]
  for (let next = first.next; next !== undefined; ) {
    const { stats, next: further } = await page(connection, next, options)
    // Neither server answers any more: a list that ends somewhere would look like all there is.
    if (stats.topics === null) return { ...first.stats, topics: null }
    for (const one of stats.topics) topics.push(one)
    next = further
  }
  return first.stats.topics === null ? first.stats : { ...first.stats, topics }
}

async function page(connection: Connection, query: string, options: CallOptions) {
  const answer = await call(connection, `/stats${query}`, { method: 'GET' }, options)
  const stats = jsonOf<Stats>(answer, (value) => 'totals' in value)
  return { stats, next: nextQuery(answer.header('link')) }
}
