import { sql } from 'drizzle-orm'
import { type Store, withTransaction } from './connect.ts'
import { generations } from './schema.ts'

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

/**
 * What a definition is to the store: known, or changed without a new version; new, and now being built; or
 * superseded, because somebody has registered a later version.
 */
export type Registration = 'known' | 'changed' | 'building' | 'superseded'

/**
 * Makes sure that there is a generation of this version, or a later one. What is being built of an earlier version is
 * given up; what is live stays until the new one has caught up. Rejects with `StoreUnavailable`.
 */
export const registerProjection = (store: Store, definition: ProjectionDefinition): Promise<Registration> =>
  withTransaction(store, 'registering of a projection', async (tx) => {
    const { name, version, hash, topics, topicRegex, keyed, initial } = definition
    // Two replicas that start together register the same; request_rebuild() takes this lock as well.
    await tx.execute(
      sql`SELECT pg_advisory_xact_lock(hashtextextended('sekali projection ' || ${name}::text, 0))`,
    )
    const { rows } = await tx.execute<{ version: number; hash: string }>(sql`
      SELECT version, hash FROM ${generations} WHERE name = ${name} AND stage <> 'retired'
      ORDER BY version DESC, id DESC LIMIT 1`)
    const [newest] = rows
    if (newest !== undefined && newest.version > version) return 'superseded'
    if (newest !== undefined && newest.version === version) return newest.hash === hash ? 'known' : 'changed'
    await tx.execute(
      sql`UPDATE ${generations} SET stage = 'retired' WHERE name = ${name} AND stage = 'building'`,
    )
    await tx.execute(sql`
      INSERT INTO ${generations} (name, version, hash, topics, topic_regex, keyed, initial, stage)
      VALUES (${name}, ${version}, ${hash}, ${sql.param(topics)}::text[], ${topicRegex.source}, ${keyed},
        ${initial}::json, 'building')`)
    return 'building'
  })
