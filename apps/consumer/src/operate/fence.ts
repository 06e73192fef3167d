import { type Broker, inOnePass } from '@sekali/broker/connect'
import { raiseFence } from '@sekali/broker/fence'
import { OldPrimary } from '@sekali/store/errors'
import type { Lineage } from '@sekali/store/lineage'
import type { Turn } from '@sekali/store/turn'

/** Those that have met an old primary. */
const warned = new WeakSet<Broker>()

/**
 * Begins reads of turns together with a look at the fence (broker/turn/fence.ts), in one write, and waits for the end of all.
 * Throws {@link OldPrimary} where PostgreSQL is one that was left behind: nothing that was read may be committed there.
 */
export async function readBehindFence<T>(
  broker: Broker,
  turns: readonly Turn[],
  read: () => readonly Promise<T>[],
): Promise<PromiseSettledResult<T>[]> {
  // A read moves the group. After a refusal the fence comes first, so that consumers of the new primary are left alone.
  if (warned.has(broker)) await requireNewestOf(broker, turns)
  const [fence, ...outcomes] = await Promise.allSettled(
    inOnePass(broker, () => [requireNewestOf(broker, turns), ...read()] as const),
  )
  if (fence.status === 'rejected') throw fence.reason
  return outcomes
}

/** Throws {@link OldPrimary} where that PostgreSQL is one. All turns of a transaction are on the same. */
export async function requireNewestOf(broker: Broker, [turn]: readonly Turn[]): Promise<void> {
  if (turn !== undefined) await requireNewest(broker, turn.lineage)
}

/** The same for who has no turn. */
export async function requireNewest(broker: Broker, lineage: Lineage): Promise<void> {
  const { timeline } = lineage
  const highest = await raiseFence(broker, lineage)
  if (highest <= timeline) return void warned.delete(broker)
  warned.add(broker)
  throw new OldPrimary(timeline, highest)
}
