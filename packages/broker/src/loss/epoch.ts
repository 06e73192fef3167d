import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'

/** Of the 40 characters, enough to tell any two apart. */
export const historyChars = 16

const histories = new WeakMap<Redis, string>()

/**
 * Which history of its data Redis is in: it begins another one whenever it starts, and when a replica becomes
 * the primary, which is another process; for one that was the primary before, see `promoted` in vouch.ts.
 * Only then can entries be gone that it had acknowledged. So the name of the process is that of the history.
 * It cannot change under a connection, so it is asked once each; the replication ID changes also when nothing
 * is lost, and under those who have asked already.
 * https://redis.io/docs/latest/commands/info/ ("run_id")
 * Rejects with `BrokerUnavailable`.
 */
export async function historyOf(broker: Broker): Promise<string> {
  const { redis } = broker
  const known = histories.get(redis)
  if (known !== undefined) return known
  const info = await ask(broker, 'look at the history', () => redis.info('server'))
  const history = (/run_id:(\w+)/.exec(info)?.[1] ?? '').slice(0, historyChars)
  // Several turns may have asked at once.
  if (!histories.has(redis)) redis.once('close', () => histories.delete(redis))
  histories.set(redis, history)
  return history
}
