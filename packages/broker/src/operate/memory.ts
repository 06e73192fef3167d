import { ask, type Broker } from '../redis/connect.ts'

/** How much of the memory that it may have Redis uses, from 0 to about 1; 0 without a limit. Rejects with `BrokerUnavailable`. */
export async function readMemoryShare(broker: Broker): Promise<number> {
  const info = await ask(broker, 'look at memory', (redis) => redis.info('memory'))
  const bytes = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  const max = bytes('maxmemory')
  return max === 0 ? 0 : bytes('used_memory') / max
}
