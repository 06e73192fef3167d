import type { Event, TopicName } from '@sekali/core/event'
import { outcomesOf } from '@sekali/core/figures'
import type { Position } from '@sekali/core/position'
import { commitEvents } from '@sekali/store/commit'
import type { Store } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { queueTurnEnd, withTurn } from '@sekali/store/turn'

/** Stores events of one topic as a consumer's turn does, without Redis. `beforeCommit` may take its time. */
export async function storeEvents(
  store: Store,
  events: readonly Event[],
  beforeCommit: () => Promise<void> = async () => undefined,
): Promise<void> {
  const topic = events[0]?.topic as TopicName
  await ensureTopics(store, [topic])
  for (;;) {
    const stored = await withTurn(store, [topic], async (tx, turn) => {
      const received = events.map((event) => ({ event, receivedAt: event.timestamp }))
      const outcome = await commitEvents(tx, turn, received)
      const accounted = turn.accounted + events.length
      const position = `${accounted}-1` as Position
      const account = { group: 'g', position, accounted, seen: accounted, seenId: position, epoch: null }
      queueTurnEnd(tx, turn, { ...outcomesOf(() => 0), ...outcome, ...account, foundLoss: false })
      await beforeCommit()
      return true
    })
    if (stored) return
    await new Promise((resolve) => setTimeout(resolve, 5)) // somebody else has the turn
  }
}
