/**
 * What Redis keeps of stored entries goes before any event is refused: from the share of memory on below which refusing ends.
 * Consumers do the same once a second; a gateway looks more often, and also when no consumer runs.
 */
import type { Broker } from '@sekali/broker/connect'
import { giveUp, type ReadPositions } from '@sekali/broker/keep-trim'
import { type RedisMemory, readMemory } from '@sekali/broker/memory'
import type { Logger } from '@sekali/process/log'
import { readPositions } from '@sekali/store/accounted'
import type { Store } from '@sekali/store/connect'
import { within } from '../clients/deadline.ts'

interface FreeDeps {
  readonly figuresBroker: Broker
  readonly store: Store
  readonly log: Logger
}

/** PostgreSQL may be away: then it is not waited for. */
const storeMs = 500

/** A function that frees what it can, if Redis uses more than so many per cent, and then says what it uses. */
export function createFree(
  { figuresBroker, store, log }: FreeDeps,
  percent: number,
): () => Promise<RedisMemory> {
  const positionsOf: ReadPositions = (topics) => within(storeMs, log, readPositions(store, topics))
  return async () => {
    const memory = await readMemory(figuresBroker)
    const over = memory.used - (memory.max * percent) / 100
    if (memory.max === 0 || over <= 0) return memory
    const freed = await giveUp(figuresBroker, over, true, positionsOf)
    return freed > 0 ? await readMemory(figuresBroker) : memory
  }
}
