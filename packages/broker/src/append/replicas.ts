/**
 * With REDIS_REPLICAS_MIN an append is acknowledged once so many replicas have it, too (docs/adr, 42): WAIT goes in the same
 * write, behind what it is to confirm. What too few have confirmed is neither acknowledged nor vouched for, although Redis
 * has it: a failover that loses it loses nothing that anybody was promised.
 *
 * WAIT holds up its connection. So the connection that appends does nothing else then, and has one write under way at a
 * time: those behind it would wait for their own WAIT and for all before, and be given up in the end.
 */
import { BrokerUnavailable, NotReplicated } from '@sekali/core/errors'
import type { Redis } from 'ioredis'
import type { Broker } from '../redis/connect.ts'
import { writableKey } from '../redis/keys.ts'

/** Less than a call may take. A replica that is well confirms within a millisecond. */
const waitMs = 300

export const isConfirmed = ({ replicasMin }: Broker): boolean => replicasMin > 0

/**
 * The commands for the end of a write. `withCounts`: streams are counted in it. A count has what others appended, and WAIT
 * confirms only what this connection wrote last; so it writes something.
 * https://redis.io/docs/latest/commands/wait/
 */
export function confirmation(broker: Broker, redis: Redis, withCounts: boolean): Promise<unknown>[] {
  if (!isConfirmed(broker)) return []
  return [
    ...(withCounts ? [redis.hset(writableKey(broker), 'counted', Date.now())] : []),
    redis.call('WAIT', String(broker.replicasMin), String(waitMs)),
  ]
}

/** What is wrong, by the last reply of such a write; undefined if enough replicas have all of it. */
export function readConfirmation(broker: Broker, replies: readonly unknown[]): BrokerUnavailable | undefined {
  if (!isConfirmed(broker)) return undefined
  const confirmed = replies.at(-1)
  if (confirmed instanceof Error) return new BrokerUnavailable('WAIT failed', { cause: confirmed })
  if (Number(confirmed) >= broker.replicasMin) return undefined
  return new NotReplicated(`${Number(confirmed)} of ${broker.replicasMin} replicas have it`)
}
