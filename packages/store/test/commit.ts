import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { event } from '@sekali/testkit/sample'
import type { Store, Tx } from '../src/postgres/connect.ts'
import { commitEvents, type Outcome } from '../src/turn/commit.ts'
import type { Received } from '../src/turn/copy.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'
import { queueTurnEnd, type Turn, withTurn } from '../src/turn/turn.ts'

export const orders = 'orders' as TopicName

export const received = (...ids: string[]): Received[] =>
  ids.map((eventId) => ({ event: event({ eventId }), receivedAt: '2025-12-08T10:00:01.000000Z' }))

export async function commit(store: Store, items: readonly Received[], topic = orders) {
  await ensureTopics(store, [topic])
  const committed = await withTurn(store, [topic], async (tx, turn) => {
    const outcome = await commitEvents(tx, turn, items)
    end(tx, turn, outcome)
    return counted(outcome)
  })
  if (committed === undefined) throw new Error('somebody else has the turn')
  return committed
}

export const counted = ({ stored, duplicates, conflicts }: Outcome) => ({ stored, duplicates, conflicts })

export function end(tx: Tx, turn: Turn, outcome: Outcome): void {
  const accounted = turn.accounted + outcome.stored + outcome.duplicates + outcome.conflicts
  const position = '1-1' as Position
  const account = { group: 'g', position, accounted, seen: accounted, seenId: position, epoch: null }
  queueTurnEnd(tx, turn, { ...outcome, ...account, foundLoss: false, dead: 0, lost: 0 })
}
