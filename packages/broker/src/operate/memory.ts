import { ask, type Broker } from '../redis/connect.ts'

/** Bytes. */
export interface RedisMemory {
  /** What Redis holds against its limit: what it must send to replicas and to its file does not count. */
  readonly used: number
  /** Beyond it Redis refuses what would make it grow; 0 is no limit. */
  readonly max: number
}

/** Rejects with `BrokerUnavailable`. */
export async function readMemory(broker: Broker): Promise<RedisMemory> {
  const info = await ask(broker, 'look at memory', (redis) => redis.info('memory'))
  const bytes = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  const used = Math.max(0, bytes('used_memory') - bytes('mem_not_counted_for_evict'))
  return { used, max: bytes('maxmemory') }
}

/** How much of the memory that it may have Redis uses, from 0 to about 1; 0 without a limit. Rejects with `BrokerUnavailable`. */
export async function readMemoryShare(broker: Broker): Promise<number> {
  const { used, max } = await readMemory(broker)
  return max === 0 ? 0 : used / max
}
