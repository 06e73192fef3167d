// What PostgreSQL has of endpoints: past the dispatchers, and past what the API shows.
import { pause } from '../clock.ts'
import type { EndpointPlan } from '../receivers/plan.ts'
import type { SqlAccess } from '../targets/target.ts'
import type { AttemptSeen, DeadDelivery, EndpointLook } from './evidence.ts'

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** The plans as rows, beside their cursors in each topic. */
const placesOf = (plans: readonly EndpointPlan[]): string => `
  (VALUES ${plans.map(({ name, sources }) => `(${text(name)}, ARRAY[${sources.map(text).join(', ')}])`).join(', ')}) p (name, sources)
  JOIN subscriptions.subscriptions s ON s.name = p.name
  CROSS JOIN LATERAL (
    SELECT DISTINCT ON (topic_id) * FROM subscriptions.cursors
    WHERE subscription = s.id ORDER BY topic_id, revision DESC
  ) c
  JOIN topics t ON t.id = c.topic_id
  JOIN events e ON e.topic_id = c.topic_id AND e.source = ANY (p.sources)`

/** Behind what was looked at, or waiting for others of its source, or leased, or to be tried again. */
const isUnsettled = `(e.seq > c.cursor OR c.waiting @> e.seq OR EXISTS (
  SELECT FROM subscriptions.exceptions x
  WHERE x.subscription = s.id AND x.topic_id = c.topic_id AND x.open @> e.seq))`

const isDelivered = `EXISTS (
  SELECT FROM subscriptions.attempts a
  WHERE a.subscription = s.id AND a.topic_id = c.topic_id AND a.seq = e.seq AND a.state = 'delivered')`

const isDead = `EXISTS (
  SELECT FROM subscriptions.dead d WHERE d.subscription = s.id AND d.topic_id = c.topic_id AND d.seq = e.seq)`

/** By subscription. */
export async function readUnsettled(
  sql: SqlAccess,
  plans: readonly EndpointPlan[],
): Promise<Map<string, DeadDelivery[]>> {
  const rows = await sql.rows(
    `SELECT p.name AS subscription, t.name AS topic, e.seq FROM ${placesOf(plans)} WHERE ${isUnsettled}`,
  )
  const bySubscription = Map.groupBy(rows, ({ subscription }) => String(subscription))
  return new Map(
    plans.map(({ name }) => [
      name,
      (bySubscription.get(name) ?? []).map(({ topic, seq }) => ({ topic: String(topic), seq: Number(seq) })),
    ]),
  )
}

/** All attempts, and how many of them hold one of these texts. */
export async function readAttempts(
  sql: SqlAccess,
  plans: readonly EndpointPlan[],
  secrets: readonly string[],
): Promise<{ readonly attempts: Map<string, AttemptSeen[]>; readonly shown: number }> {
  const rows = await sql.rows(`
    SELECT s.name AS subscription, t.name AS topic, a.seq, a.attempt, a.state, a.status, a.error,
      EXISTS (SELECT FROM unnest(ARRAY[${secrets.map(text).join(', ')}]) k
        WHERE strpos(concat_ws(' ', a.request, a.response, a.response_body), k) > 0) AS shows
    FROM subscriptions.attempts a JOIN subscriptions.subscriptions s ON s.id = a.subscription
    JOIN topics t ON t.id = a.topic_id
    WHERE s.name IN (${plans.map(({ name }) => text(name)).join(', ')}) ORDER BY a.id`)
  const attempts = new Map<string, AttemptSeen[]>(plans.map(({ name }) => [name, []]))
  for (const { subscription, topic, seq, attempt, state, status, error } of rows)
    attempts.get(String(subscription))?.push({
      topic: String(topic),
      seq: Number(seq),
      attempt: Number(attempt),
      isDelivered: state === 'delivered',
      status: status === null || status === undefined ? null : Number(status),
      error: error ?? null,
    })
  return { attempts, shown: rows.filter(({ shows }) => shows === 'true').length }
}

export interface EndpointLooks {
  /** Looks at once, until it is answered or PostgreSQL is away for long. */
  look(): Promise<void>
  finish(): Promise<readonly EndpointLook[]>
}

const everyMs = 2_500

/** Looks again and again. A look that PostgreSQL does not answer is left out. */
export function startEndpointLooks(sql: SqlAccess, plans: readonly EndpointPlan[]): EndpointLooks {
  const looks: EndpointLook[] = []
  const stopping = new AbortController()
  let last = Promise.resolve()
  // One after the other: they are compared with the one before.
  const look = () => {
    last = last.then(async () => {
      const found = await lookAt(sql, plans).catch(() => undefined)
      if (found !== undefined) looks.push(found)
    })
    return last
  }
  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await look()
      await pause(everyMs, stopping.signal)
    }
  })()
  return {
    look,
    finish: async () => {
      stopping.abort()
      await looking
      await look()
      return looks
    },
  }
}

/** One statement, and so one moment. */
async function lookAt(sql: SqlAccess, plans: readonly EndpointPlan[]): Promise<EndpointLook> {
  const [row = {}] = await sql.rows(`
    SELECT count(*) AS events, (SELECT count(*) FROM subscriptions.attempts) AS attempts,
      string_agg(concat_ws(' ', p.name, t.name, e.seq), ', ') FILTER (WHERE NOT ${isUnsettled} AND NOT ${isDelivered}
        AND NOT ${isDead}) AS unaccounted
    FROM ${placesOf(plans)}`)
  return {
    unaccounted: row.unaccounted ? row.unaccounted.split(', ') : [],
    events: Number(row.events),
    attempts: Number(row.attempts),
  }
}
