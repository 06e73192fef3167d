// How far worker groups are: by HTTP, and past it.
import type { Door } from '../clients/door.ts'
import { pause } from '../clock.ts'
import type { SqlAccess } from '../targets/target.ts'
import { nowMs } from '../workers/notes.ts'
import type { Plan } from '../workers/plan.ts'
import type { DeadDelivery, FloorSample } from './evidence.ts'

/** Events that are not settled. Rejects unless it is answered. */
export async function readLag(door: Door, { name }: Pick<Plan, 'name'>): Promise<number> {
  const { status, body } = await door.get(`/subscriptions/${name}`)
  if (status !== 200) throw new Error(`/subscriptions/${name} was answered ${status}`)
  return (JSON.parse(body) as { readonly lag: number }).lag
}

/** All dead letters of a group, or of an endpoint. */
export async function readDead(door: Door, { name }: Pick<Plan, 'name'>): Promise<DeadDelivery[]> {
  const dead: DeadDelivery[] = []
  const first = `/dead-letters?kind=delivery&subscription=${name}&state=all&limit=1000`
  for (let path: string | undefined = first; path !== undefined; ) {
    const { status, body, next } = await door.get(path)
    if (status !== 200) throw new Error(`${path} was answered ${status}`)
    const letters = JSON.parse(body) as DeadDelivery[]
    dead.push(...letters.map(({ topic, seq }) => ({ topic, seq })))
    path = next
  }
  return dead
}

export interface FloorLooks {
  /** Looks once more, and gives all that was seen. */
  finish(): Promise<readonly FloorSample[]>
}

const everyMs = 400

/** Looks at the floors again and again. A look that PostgreSQL does not answer is left out. */
export function startFloorLooks(sql: SqlAccess, plans: readonly Plan[]): FloorLooks {
  const samples: FloorSample[] = []
  const stopping = new AbortController()
  const names = plans.map(({ name }) => `'${name}'`).join(', ')
  const look = async () => {
    const rows = await sql.rows(floorsOf(names)).catch(() => [])
    const at = nowMs()
    for (const { subscription, topic, floor, first_unsettled } of rows)
      samples.push({
        subscription: String(subscription),
        topic: String(topic),
        at,
        floor: Number(floor),
        firstUnsettled: Number(first_unsettled),
      })
  }
  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await look()
      await pause(everyMs, stopping.signal)
    }
  })()
  return {
    finish: async () => {
      stopping.abort()
      await looking
      await look()
      return samples
    },
  }
}

/** The floors as the functions have them, beside all that is leased, retrying or waiting, of one moment. */
const floorsOf = (names: string): string => `
  SELECT s.name AS subscription, t.name AS topic,
    subscriptions.floor_of(s.id, c.topic_id, c.floor, c.cursor, c.waiting) AS floor,
    least(lower(c.waiting), c.cursor + 1, (
      SELECT min(lower(e.open)) FROM subscriptions.exceptions e
      WHERE e.subscription = s.id AND e.topic_id = c.topic_id AND NOT e.redriven
    )) AS first_unsettled
  FROM subscriptions.subscriptions s
  CROSS JOIN LATERAL (
    SELECT DISTINCT ON (topic_id) * FROM subscriptions.cursors
    WHERE subscription = s.id ORDER BY topic_id, revision DESC
  ) c
  JOIN topics t ON t.id = c.topic_id
  WHERE s.name IN (${names})`
