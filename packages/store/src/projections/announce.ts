import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { announcements, generations } from '../postgres/projections-schema.ts'
import { textArray } from '../postgres/text-array.ts'

/** How often a projector should say which definitions it has. */
export const announceMs = 20_000
/** A projection that nobody has announced for so long is orphaned. */
export const orphanedMs = 60_000

/**
 * Says that these definitions are there to be folded. It touches no generation, so it waits for nobody's turn; and
 * where a replica has said the same a moment ago, it writes nothing. Returns those that the store does not know (any
 * more): somebody has dropped them, and they are to be registered again. Rejects with `StoreUnavailable`.
 */
export async function announceProjections(store: Store, names: readonly string[]): Promise<string[]> {
  const { rows } = await store.db
    .execute<{ name: string }>(sql`
      WITH announced AS (
        INSERT INTO ${announcements} (name)
        SELECT name FROM unnest(${textArray(names)}::text[]) AS name ORDER BY name
        ON CONFLICT (name) DO UPDATE SET announced_at = excluded.announced_at
        WHERE ${announcements.announcedAt} < now() - ${announceMs / 2} * interval '1 ms'
      )
      SELECT name FROM unnest(${textArray(names)}::text[]) AS name
      WHERE NOT EXISTS (SELECT FROM ${generations} g WHERE g.name = name.name AND g.stage <> 'retired')`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'announcement of projections')
    })
  return rows.map(({ name }) => name)
}

export interface Announcement {
  /** Since a projector last said that it has the definition. */
  readonly agoMs: number
  /** Until the projection is orphaned, if no projector says so again. */
  readonly orphanedInMs: number
}

/** The last announcement of a projection. Rejects with `StoreUnavailable`. */
export async function readAnnouncement(store: Store, name: string): Promise<Announcement> {
  const { rows } = await store.db
    .execute<{ ms: string }>(sql`
      SELECT extract(epoch FROM now() - announced_at) * 1000 AS ms FROM ${announcements} WHERE name = ${name}`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of an announcement')
    })
  const agoMs = Math.max(0, Number(rows[0]?.ms ?? orphanedMs))
  return { agoMs, orphanedInMs: Math.max(0, orphanedMs - agoMs) }
}
