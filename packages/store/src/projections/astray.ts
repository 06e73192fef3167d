/**
 * A generation is astray when a restore has taken away events that it has folded: its checkpoint of a topic lies beyond a
 * fork. What follows there must not be folded onto it, so it is folded anew; see core/log/fork.ts. Checkpoints come back
 * with the log as a rule, as they lie in the same database, but whoever brings the one back without the other must not
 * get a state that no log has.
 */
import type { SQL } from 'drizzle-orm'
import type { Tx } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { checkpoints, generations } from '../postgres/projections-schema.ts'
import { forks, topics } from '../postgres/schema.ts'

/** The checkpoints `c` of a generation that lie beyond a fork, with the fork. */
const beyondForks = (id: SQL): SQL => sql`
  ${checkpoints} c JOIN ${forks} f ON f.topic_id = c.topic_id AND f.epoch > c.epoch AND f.forked_at < c.seq
  WHERE c.generation_id = ${id}`

export const isAstray = (id: SQL): SQL => sql`EXISTS (SELECT FROM ${beyondForks(id)})`

/** The names of the topics in which the generation is astray; null where it is in none. */
export const astrayTopics = (id: SQL): SQL => sql`(
  SELECT json_agg(t.name ORDER BY t.name) FROM ${topics} t
  WHERE t.id IN (SELECT c.topic_id FROM ${beyondForks(id)}))`

/**
 * If the generation is astray, begins another one of the same definition, and resolves with the topics. One that was
 * being built gives way; a live one stays on show as it is until the other has caught up.
 */
export async function foldAnewIfAstray(
  tx: Tx,
  { id, stage }: { readonly id: number; readonly stage: 'live' | 'building' },
): Promise<readonly string[]> {
  const { rows } = await tx.execute<{ topics: string[] | null }>(
    sql`SELECT ${astrayTopics(sql`${id}::int`)} AS topics`,
  )
  const astray = rows[0]?.topics ?? []
  if (astray.length === 0) return []
  if (stage === 'building')
    await tx.execute(sql`UPDATE ${generations} SET stage = 'retired' WHERE id = ${id}`)
  await tx.execute(sql`
    INSERT INTO ${generations} (name, version, hash, topics, topic_regex, keyed, initial, stage)
    SELECT name, version, hash, topics, topic_regex, keyed, initial, 'building' FROM ${generations} WHERE id = ${id}
    ON CONFLICT (name) WHERE stage = 'building' DO NOTHING`)
  return astray
}
