import { ask, type Broker } from '../redis/connect.ts'

/** What Redis's clock shows, in milliseconds since 1970. Rejects with `BrokerUnavailable`. */
export async function readClock(broker: Broker): Promise<number> {
  const [seconds, microseconds] = await ask(broker, 'look at the clock', (redis) => redis.time())
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000
}
