import type { Tx } from '../postgres/connect.ts'
import type { Turn } from './turn.ts'

/**
 * Queues another epoch of the topic's log, which has what the others have up to and with `forkedAt`. It begins with COMMIT,
 * in the transaction that stores its first events: nobody reads them without seeing that the log has forked.
 */
export function beginEpoch(
  tx: Tx,
  { topicId }: Pick<Turn, 'topicId'>,
  { epoch, forkedAt }: { readonly epoch: number; readonly forkedAt: number },
): void {
  tx.closing.push(
    `UPDATE topics SET epoch = ${epoch} WHERE id = ${topicId}`,
    `INSERT INTO forks (topic_id, epoch, forked_at) VALUES (${topicId}, ${epoch}, ${forkedAt})`,
  )
}
