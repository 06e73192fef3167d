import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'

/** Of the 40 characters, enough to tell any two apart. */
export const historyChars = 16

const histories = new WeakMap<Redis, string>()

/**
 * The history of Redis's data. A new one begins whenever Redis starts, and when a replica becomes the primary: that is
 * another process. (For a process that was the primary before, see `promoted` in vouch.ts.) Only at such a moment can entries
 * be gone that Redis had acknowledged, so the name of the process (`run_id`) names the history. It cannot change under a
 * connection, so each connection reads it once. The replication ID would not do: it also changes when nothing is lost.
 * https://redis.io/docs/latest/commands/info/ ("run_id")
 * Rejects with `BrokerUnavailable`.
 */
export async function historyOf(broker: Broker): Promise<string> {
  const { redis } = broker
  const known = histories.get(redis)
  if (known !== undefined) return known
  const info = await ask(broker, 'read of the history', () => redis.info('server'))
  const history = (/run_id:(\w+)/.exec(info)?.[1] ?? '').slice(0, historyChars)
  // Several turns may have asked at once.
  if (!histories.has(redis)) redis.once('close', () => histories.delete(redis))
  histories.set(redis, history)
  return history
}
