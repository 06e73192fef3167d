/** Tries whether the two servers can do what the gateway needs of them. */
import type { Broker } from '@sekali/broker/connect'
import { type BrokerHealth, checkWritable } from '@sekali/broker/health'
import { sentenceOf, troubleOf } from '@sekali/core/trouble'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { checkStore } from '@sekali/store/health'
import { within } from '../clients/deadline.ts'
import { checkLineage } from './lineage.ts'

/** What a trial came to; a text is why there was none. */
export type BrokerTrial = BrokerHealth | string
export type StoreTrial = readonly string[] | string

export const isConnected = ({ redis }: Broker): boolean => redis.status === 'ready'

/** Tries whether Redis takes writes: once in `everyMs`, however many call, because the trial is a write to its disk. */
export function createBrokerTrials(
  broker: Broker,
  log: Logger,
  { checkMs, everyMs }: { readonly checkMs: number; readonly everyMs: number },
): () => Promise<BrokerTrial> {
  let last: { readonly outcome: Promise<BrokerTrial>; readonly atMs: number } | undefined
  return () => {
    const nowMs = performance.now()
    const isFresh = last !== undefined && nowMs - last.atMs < everyMs
    if (last === undefined || !isFresh || !isConnected(broker)) {
      last = { outcome: orTrouble('Redis', checkMs, log, checkWritable(broker)), atMs: nowMs }
    }
    return last.outcome
  }
}

/** Tries what PostgreSQL can do, once for all calls during a trial. Nothing is kept: it may be gone the moment after. */
export function createStoreTrials(
  store: Store,
  broker: Broker,
  log: Logger,
  checkMs: number,
): () => Promise<StoreTrial> {
  let current: Promise<StoreTrial> | undefined
  const check = async () => {
    const problems = await checkStore(store)
    if (problems.length > 0 || !isConnected(broker)) return problems
    return await checkLineage(broker, store).catch(() => []) // that a server is away is found by its own trial
  }
  return () => {
    current ??= orTrouble('PostgreSQL', checkMs, log, check()).finally(() => {
      current = undefined
    })
    return current
  }
}

/** What a check finds, or why it failed or was given up. */
async function orTrouble<T>(
  server: 'Redis' | 'PostgreSQL',
  checkMs: number,
  log: Logger,
  check: Promise<T>,
): Promise<T | string> {
  let failure: unknown
  const found = await within(checkMs, log, check, (error) => {
    failure = error
  })
  return found ?? sentenceOf(troubleOf(server, failure))
}
