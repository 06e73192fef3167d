import type { TopicName } from '@sekali/core/event'
import { event } from '@sekali/testkit/sample'
import { accountFor, withTurn } from '@sekali/testkit/store-events'
import type { Store } from '../src/postgres/connect.ts'
import { type BatchCounts, commitEvents } from '../src/turn/commit.ts'
import type { Received } from '../src/turn/copy.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'

export const orders = 'orders' as TopicName

export const received = (...ids: string[]): Received[] =>
  ids.map((eventId) => ({ event: event({ eventId }), receivedAt: '2025-12-08T10:00:01.000000Z' }))

export async function commit(store: Store, items: readonly Received[], topic = orders) {
  await ensureTopics(store, [topic])
  const committed = await withTurn(store, [topic], async (tx, turn) => {
    const outcome = await commitEvents(tx, turn, items)
    accountFor(tx, turn, outcome)
    return counted(outcome)
  })
  if (committed === undefined) throw new Error('somebody else has the turn')
  return committed
}

export const counted = ({ stored, duplicates, conflicts }: BatchCounts) => ({ stored, duplicates, conflicts })
