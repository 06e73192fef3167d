import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'

/** Of the 40 characters, enough to tell any two apart. */
export const epochChars = 16

const epochs = new WeakMap<Redis, string>()

/**
 * The epoch of Redis's data. A new one begins whenever Redis starts, and when a replica becomes the primary: that is another
 * process. (For a process that was the primary before, see `promoted` in vouch.ts.) Only at such a moment can entries
 * be gone that Redis had acknowledged, so the name of the process (`run_id`) names the epoch. It cannot change under a
 * connection, so each connection reads it once. The replication ID would not do: it also changes when nothing is lost.
 * https://redis.io/docs/latest/commands/info/ ("run_id")
 * Rejects with `BrokerUnavailable`.
 */
export async function epochOf(broker: Broker): Promise<string> {
  const { redis } = broker
  const known = epochs.get(redis)
  if (known !== undefined) return known
  const info = await ask(broker, 'read of the epoch', () => redis.info('server'))
  const epoch = (/run_id:(\w+)/.exec(info)?.[1] ?? '').slice(0, epochChars)
  // Several turns may have asked at once.
  if (!epochs.has(redis)) redis.once('close', () => epochs.delete(redis))
  epochs.set(redis, epoch)
  return epoch
}
