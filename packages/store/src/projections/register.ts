import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { announcements, generations } from '../postgres/projections-schema.ts'

/** A projection's definition, as far as the store has to know it. */
export interface ProjectionDefinition {
  readonly name: string
  readonly version: number
  /** Of the file it came from. */
  readonly hash: string
  readonly topics: readonly string[]
  readonly topicRegex: RegExp
  readonly keyed: boolean
  /** JSON: the state that each key begins with. */
  readonly initial: string
}

/** What a definition is to the store: known; new, and now being built; or superseded by a later version. */
export type Registration = 'known' | 'building' | 'superseded'

/**
 * Makes sure that there is a generation of this very definition, or of a later version. A file that has changed is
 * another definition, with or without a new version: folded into the states of the old one it would make a mixture that
 * no fold of the log gives. What is being built of an earlier one is given up; what is live stays until the new one has
 * caught up. So the newest generation is of the definition that was registered last, and a rebuild takes that one.
 * Rejects with `StoreUnavailable`.
 */
export const registerProjection = (store: Store, definition: ProjectionDefinition): Promise<Registration> =>
  withTransaction(store, 'registering of a projection', async (tx) => {
    const { name, version, hash, topics, topicRegex, keyed, initial } = definition
    // Two replicas that start together register the same; request_rebuild() takes this lock as well.
    await tx.execute(
      sql`SELECT pg_advisory_xact_lock(hashtextextended('sekali projection ' || ${name}::text, 0))`,
    )
    await tx.execute(sql`
      INSERT INTO ${announcements} (name) VALUES (${name})
      ON CONFLICT (name) DO UPDATE SET announced_at = excluded.announced_at`)
    const { rows } = await tx.execute<{ version: number; hash: string; stage: string }>(sql`
      SELECT version, hash, stage FROM ${generations} WHERE name = ${name} AND stage <> 'retired'
      ORDER BY version DESC, id DESC`)
    const [newest] = rows
    if (newest !== undefined && newest.version > version) return 'superseded'
    const isSame = (row: typeof newest) => row?.version === version && row.hash === hash
    if (isSame(newest)) return 'known'
    await tx.execute(
      sql`UPDATE ${generations} SET stage = 'retired' WHERE name = ${name} AND stage = 'building'`,
    )
    // Changed and changed back, before the change was live.
    if (rows.some((row) => row.stage === 'live' && isSame(row))) return 'known'
    await tx.execute(sql`
      INSERT INTO ${generations} (name, version, hash, topics, topic_regex, keyed, initial, stage)
      VALUES (${name}, ${version}, ${hash}, ${sql.param(topics)}::text[], ${topicRegex.source}, ${keyed},
        ${initial}::json, 'building')`)
    return 'building'
  })
