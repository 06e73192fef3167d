import type { TopicName } from '@sekali/core/event'
import { appendAuditIn, type By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'

/** `in_use`: it has events, entries in flight or dead letters, its log was restored, or a consumer has its turn. */
export type TopicDrop = 'dropped' | 'in_use' | 'unknown'

/**
 * Drops a topic that has nothing. `forget` has Redis forget it, and resolves with what came of that, while nobody can have
 * the topic's turn; if it is in use there the topic stays. The audit log says who has dropped it. Rejects with `StoreUnavailable`, or with what `forget` throws.
 */
export const dropTopic = (
  store: Store,
  topic: TopicName,
  forget: () => Promise<TopicDrop>,
  by: By,
): Promise<TopicDrop> =>
  withTransaction(store, 'dropping of a topic', async (tx) => {
    // As for projections: the gateway's sessions only read, and the function has its owner's rights.
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    const { rows } = await tx.execute<{ outcome: TopicDrop }>(sql`SELECT drop_topic(${topic}) AS outcome`)
    const stored = rows[0]?.outcome ?? 'unknown'
    if (stored === 'in_use') return stored
    const queued = await forget()
    const outcome = stored === 'unknown' || queued === 'in_use' ? queued : stored
    if (queued === 'in_use') await tx.execute(sql`ROLLBACK`)
    else if (outcome === 'dropped') {
      await appendAuditIn(tx, { ...by, action: 'topic_dropped', target: topic })
    }
    return outcome
  })
