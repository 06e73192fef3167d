import type { Event, TopicName } from '@sekali/core/event'
import { outcomeNames, outcomesOf } from '@sekali/core/figures'
import type { Position } from '@sekali/core/position'
import { waitUntil } from '@sekali/servers/wait-until'
import { type BatchCounts, commitEvents } from '@sekali/store/commit'
import type { Store, Tx } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { queueTurnEnd, type Turn, withTurns } from '@sekali/store/turn'

/** Runs `work` in the turn of the first of `names` whose turn nobody has; `undefined` when others have them all. */
export const withTurn = <T>(
  store: Store,
  names: readonly TopicName[],
  work: (tx: Tx, turn: Turn) => Promise<T>,
): Promise<T | undefined> => withTurns(store, names, 1, (tx, [turn]) => work(tx, turn as Turn))

const turnMsMax = 60_000

/** Ends a turn as a consumer does. The time of its position is `ms` plus the number of entries accounted for. */
export function accountFor(tx: Tx, turn: Turn, outcome: BatchCounts & { dead?: number }, ms = 0): void {
  const outcomes = { ...outcomesOf(() => 0), ...outcome }
  const accounted = outcomeNames.reduce((count, name) => count + outcomes[name], turn.accounted)
  const position = `${ms + accounted}-1` as Position
  const account = { group: 'g', position, accounted, seen: accounted, seenId: position, history: null }
  queueTurnEnd(tx, turn, { ...outcomes, ...account, foundLoss: false })
}

/** Stores events of one topic as a consumer's turn does, without Redis. `beforeCommit` may take its time. */
export async function storeEvents(
  store: Store,
  events: readonly Event[],
  beforeCommit: () => Promise<void> = async () => undefined,
): Promise<void> {
  const topic = events[0]?.topic as TopicName
  await ensureTopics(store, [topic])
  // Somebody else may have the turn.
  const tryOnce = () =>
    withTurn(store, [topic], async (tx, turn) => {
      const received = events.map((event) => ({ event, receivedAt: event.timestamp }))
      const outcome = await commitEvents(tx, turn, received)
      accountFor(tx, turn, outcome)
      await beforeCommit()
      return true
    })
  const stored = await waitUntil(async () => (await tryOnce()) ?? false, turnMsMax, { stepMs: 5 })
  if (!stored) throw new Error(`no turn of ${topic} came free within ${turnMsMax} ms`)
}
