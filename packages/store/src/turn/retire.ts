import type { Tx } from '../postgres/connect.ts'
import type { Turn } from './turn.ts'

/**
 * Queues the note in the topics' rows that their streams are retired: that they are gone is no loss (see
 * broker/turn/retire.ts). It runs with COMMIT, in the turns' transaction. The next turn that finds a stream takes it back.
 */
export function retire(tx: Tx, turns: readonly Turn[]): void {
  if (turns.length === 0) return
  const ids = turns.map(({ topicId }) => topicId).join(', ')
  tx.closing.push(`UPDATE topics SET retired = true, history = NULL WHERE id IN (${ids})`)
}
