// What /stats and PostgreSQL say, as far as the checks need it.
import type { Books } from '../clients/books.ts'
import type { Door } from '../clients/door.ts'
import type { LogRow } from '../clients/log.ts'
import type { RedisAccess, SqlAccess } from '../targets/target.ts'
import { countedNames, figureNames, type SqlRow, type StatsRow } from './evidence.ts'

/**
 * The figures of the given topics. Only these are asked for: after some abuses there are 26,000 others, and 27 pages of them
 * were most of the time that service took to be back. Rejects when the gateway does not answer, or knows of no topics at all.
 */
export async function readStats(door: Door, topics: readonly string[]): Promise<Map<string, StatsRow>> {
  const rows: (StatsRow & { topic: string })[] = []
  for (let path: string | undefined = `/stats?topic=${patternAround(topics)}`; path !== undefined; ) {
    const { status, body, next } = await door.get(path)
    if (status !== 200) throw new Error(`/stats was answered ${status}`)
    const said = JSON.parse(body) as { topics: (StatsRow & { topic: string })[] | null }
    if (said.topics === null) throw new Error('/stats does not know its topics')
    rows.push(...said.topics.filter(({ topic }) => topics.includes(topic)))
    path = next
  }
  return new Map(
    rows.map((row) => [row.topic, { ...pick(figureNames, (name) => row[name]), loss_at: row.loss_at }]),
  )
}

/** The narrowest pattern that all of them match. */
export function patternAround(topics: readonly string[]): string {
  const [first = '', ...others] = topics
  if (others.length === 0) return first
  const segments = first.split('.')
  const differs = segments.findIndex((_, at) => {
    const start = `${segments.slice(0, at + 1).join('.')}.`
    return !topics.every((topic) => topic.startsWith(start))
  })
  return encodeURIComponent([...segments.slice(0, differs), '>'].join('.'))
}

const pick = <Name extends string, T>(names: readonly Name[], get: (name: Name) => T) =>
  Object.fromEntries(names.map((name) => [name, get(name)])) as Record<Name, T>

/** Whether there are figures of every topic that anything was sent to: of none at all, everything is true. */
export const isComplete = (rows: ReadonlyMap<string, StatsRow>, { topics }: Books): boolean =>
  topics.entries().every(([topic, events]) => events.size === 0 || rows.has(topic))

/** How many entries came to something; undefined when that is not known. */
export function settledOf({ accepted, in_flight }: StatsRow): number | undefined {
  return accepted === null || in_flight === null ? undefined : accepted - in_flight
}

const list = (topics: readonly string[]) => topics.map((topic) => `'${topic}'`).join(', ')

/** The topics' rows, and what can be counted beside them. */
export async function readSqlRows(sql: SqlAccess, topics: readonly string[]): Promise<Map<string, SqlRow>> {
  const rows = await sql.rows(`
    SELECT name, head, ${countedNames.join(', ')},
      (SELECT count(*) FROM events e WHERE e.topic_id = t.id) AS event_rows,
      (SELECT count(*) FROM conflicts c WHERE c.topic_id = t.id) AS conflict_rows,
      (SELECT count(*) FROM dead_letters d WHERE d.topic_id = t.id) AS dead_rows
    FROM topics t WHERE name IN (${list(topics)})`)
  return new Map(
    rows.map((row) => [
      String(row.name),
      {
        head: Number(row.head),
        ...pick(countedNames, (name) => Number(row[name])),
        eventRows: Number(row.event_rows),
        conflictRows: Number(row.conflict_rows),
        deadRows: Number(row.dead_rows),
      },
    ]),
  )
}

const sqlPage = 10_000
const time = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** The whole log of a topic, by SQL. */
export async function readSqlLog(sql: SqlAccess, topic: string): Promise<LogRow[]> {
  const log: LogRow[] = []
  for (;;) {
    const rows = await sql.rows(`
      SELECT seq, event_id AS id, source, ${time('"timestamp"')} AS timestamp, payload::text AS payload,
        ${time('received_at')} AS received_at
      FROM events WHERE topic_id = (SELECT id FROM topics WHERE name = '${topic}') AND seq > ${log.at(-1)?.seq ?? 0}
      ORDER BY seq LIMIT ${sqlPage}`)
    for (const { seq, id, source, timestamp, payload, received_at } of rows) {
      log.push({
        seq: Number(seq),
        id: String(id),
        source: String(source),
        timestamp: String(timestamp),
        payload: String(payload),
        receivedAt: String(received_at),
      })
    }
    if (rows.length < sqlPage) return log
  }
}

/** How many entries are delivered and not acknowledged, in all groups of the topics' streams. */
export async function countPending(redis: RedisAccess, topics: readonly string[]): Promise<number> {
  let pending = 0
  for (const topic of topics) {
    const groups = (await redis.call('XINFO', 'GROUPS', `${redis.prefix}:stream:${topic}`).catch((error) => {
      if (error instanceof Error && error.message.includes('no such key')) return []
      throw error
    })) as unknown[][]
    for (const group of groups) pending += Number(group[group.indexOf('pending') + 1])
  }
  return pending
}
