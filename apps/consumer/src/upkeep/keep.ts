/**
 * How much of what is stored stays in Redis: for `keepMs`, and no more than a quarter of its memory, of all topics together.
 * When Redis is short of memory, it is less. Turns note what they have stored (broker/keep/note.ts); the look, once a
 * second, lets go of what is over, also of topics that are idle.
 */
import { ask, type Broker } from '@sekali/broker/connect'
import { readKeep } from '@sekali/broker/keep'
import { askAfterMs, type KeepLimits, keepBytesMax, noteKept } from '@sekali/broker/keep-limits'
import { giveUp, type ReadPositions, trimExpired } from '@sekali/broker/keep-trim'
import { readMemory } from '@sekali/broker/memory'
import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import { readPositions } from '@sekali/store/accounted'
import type { Store } from '@sekali/store/connect'
import { readLineage } from '@sekali/store/lineage'
import { requireNewest } from '../operate/fence.ts'

export interface Keeper {
  readonly limits: () => KeepLimits
  /** A turn has noted what it stored: so many bytes are kept now. */
  onKept(bytes: number): void
  /** Rejects with `BrokerUnavailable`. */
  look(): Promise<void>
}

/** Of Redis's memory. Beyond it what is kept goes, long before events are refused. */
const memoryShareMax = 0.75

interface KeeperDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
}

export function createKeeper({ broker, store, log }: KeeperDeps, keepMs: number): Keeper {
  let bytesMax = keepBytesMax(0)
  let isGiving = false
  const limits = (): KeepLimits => ({ keepMs, bytesMax })
  const positionsOf: ReadPositions = (topics) => readNewest(topics).catch(() => undefined)

  /** An old primary, which was left behind by a failover, may have what the new one does not: it counts as away. */
  async function readNewest(topics: readonly TopicName[]) {
    const lineage = await readLineage(store)
    if (lineage === undefined) return undefined
    await requireNewest(broker, lineage)
    return await readPositions(store, topics)
  }

  async function look(): Promise<void> {
    const { used, max } = await readMemory(broker)
    bytesMax = keepBytesMax(max)
    const keep = await readKeepNow()
    if (keep === undefined) return
    await trimExpired(broker, keep, keepMs, positionsOf)
    if (max > 0 && used > max * memoryShareMax) {
      await giveUp(broker, used - max * memoryShareMax, true, positionsOf)
    }
    const { bytes } = await readKeep(broker)
    if (bytes > bytesMax) await giveUp(broker, bytes - bytesMax, false, positionsOf)
  }

  /** What is kept, by a clock that is right if PostgreSQL answers; `undefined` when nothing is. */
  async function readKeepNow() {
    const keep = await readKeep(broker)
    if (keep.slices.length === 0) return undefined
    if (keep.silentMs < askAfterMs({ keepMs })) return keep
    if ((await positionsOf([])) === undefined) return keep
    await ask(broker, 'look at what is kept', (redis) => noteKept(broker, redis, [], limits()))
    return await readKeep(broker)
  }

  return {
    limits,
    look,
    onKept(bytes) {
      if (bytes <= bytesMax || isGiving) return
      isGiving = true
      void giveUp(broker, bytes - bytesMax, false, positionsOf)
        .catch((error: unknown) => log.debug({ err: error }, 'nothing let go of'))
        .finally(() => {
          isGiving = false
        })
    },
  }
}
