import type { Broker } from '@sekali/broker/connect'
import { readFence } from '@sekali/broker/fence'
import type { Store } from '@sekali/store/connect'
import { OldPrimary } from '@sekali/store/errors'
import { readLineage } from '@sekali/store/lineage'

/**
 * Leaves a PostgreSQL that is an old primary (broker/turn/fence.ts): what is written down there is lost with it, and the new one's
 * endpoints get nothing meanwhile. Throws {@link OldPrimary} then. Rejects with `StoreUnavailable`.
 */
export async function requireNewest(broker: Broker, store: Store): Promise<void> {
  const lineage = await readLineage(store)
  if (lineage === undefined) return
  const highest = await readFence(broker, lineage.system).catch(() => undefined) // without Redis it goes on
  if (highest === undefined || highest <= lineage.timeline) return
  store.leave('an old primary')
  throw new OldPrimary(lineage.timeline, highest)
}
