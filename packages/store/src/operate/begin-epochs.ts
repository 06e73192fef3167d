/** For whoever has put PostgreSQL back to an earlier state and lost Redis, too: then no consumer can find it out. */
import { appendAuditIn, type By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'

/** What an epoch in every topic would be about. */
export interface EpochsCount {
  readonly topics: number
  readonly events: number
  /** When the newest of the topics' last events was stored (UTC); `null` when there is none. */
  readonly newestStoredAt: string | null
  /** When PostgreSQL started (UTC): as a rule after it was put back. */
  readonly startedAt: string
  /** Topics in which something was stored since. */
  readonly storedSinceStart: number
}

/** Changes nothing. Rejects with `StoreUnavailable`. */
export async function countForEpochs(store: Store): Promise<EpochsCount> {
  const { rows } = await store.db
    .execute<{ topics: string; events: string; newest: string | null; started: string; since: string }>(
      sql`SELECT count(*) AS topics, coalesce(sum(t.head), 0) AS events, max(e.stored_at)::text AS newest,
          pg_postmaster_start_time()::text AS started,
          count(*) FILTER (WHERE e.stored_at >= pg_postmaster_start_time()) AS since
        FROM topics t LEFT JOIN LATERAL (
          SELECT stored_at FROM events WHERE topic_id = t.id ORDER BY seq DESC LIMIT 1
        ) e ON true`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'count of topics')
    })
  const [row] = rows
  if (row === undefined) throw new Error('a count without a row')
  return {
    topics: Number(row.topics),
    events: Number(row.events),
    newestStoredAt: row.newest === null ? null : utc(row.newest),
    startedAt: utc(row.started),
    storedSinceStart: Number(row.since),
  }
}

export interface EpochsBegun {
  readonly epoch: number
  readonly topics: number
}

/**
 * Begins an epoch in every topic, and in those that are made later. With `restoredAt` (UTC), when PostgreSQL was put back,
 * the logs fork at the last events that were stored before it, unless they have forked there since; otherwise where they
 * end. It waits for turns that are under way. Safe twice: it tells only readers that are ahead of the log, or that have not
 * been told yet. Rejects with `StoreUnavailable`.
 */
export const beginEpochs = (store: Store, restoredAt: string | undefined, by: By): Promise<EpochsBegun> =>
  withTransaction(store, 'begin of epochs', async (tx) => {
    // The gateway's sessions only read; the function has its owner's rights.
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    const { rows } = await tx.execute<{ epoch: number; topics: string }>(
      sql`SELECT * FROM begin_epochs(${restoredAt ?? null}::timestamptz)`,
    )
    const epoch = Number(rows[0]?.epoch)
    const topics = Number(rows[0]?.topics)
    const details = restoredAt === undefined ? { topics } : { topics, restored_at: restoredAt }
    await appendAuditIn(tx, { ...by, action: 'epochs_begun', target: String(epoch), details })
    return { epoch, topics }
  })
