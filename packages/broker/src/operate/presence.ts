import { ask, type Broker, transact } from '../redis/connect.ts'
import { consumersKey, presenceKey } from '../redis/keys.ts'

/** What a consumer says of itself. Times are UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
export interface Presence {
  readonly name: string
  readonly pid: number
  readonly startedAt: string
  readonly lastTurnAt: string | null
  readonly turns: number
  /** Over how many channels it shares topics with others (hints/channels.ts); missing when it does not, or not now. */
  readonly channels?: number
}

/** A consumer that has not said anything for so long is not shown any more. */
const expiresMs = 5_000

/** Says that a consumer is here. Rejects with `BrokerUnavailable`. */
export const announce = (broker: Broker, presence: Presence): Promise<unknown> =>
  ask(broker, 'announce', (redis) =>
    transact(redis, () => [
      redis.sadd(consumersKey(broker), presence.name),
      redis.set(presenceKey(broker, presence.name), JSON.stringify(presence), 'PX', expiresMs),
    ]),
  )

/** Says that a consumer has left. Rejects with `BrokerUnavailable`. */
export const leave = (broker: Broker, name: string): Promise<unknown> =>
  ask(broker, 'leave', (redis) =>
    transact(redis, () => [redis.del(presenceKey(broker, name)), redis.srem(consumersKey(broker), name)]),
  )

/** The consumers that are here, by name. Rejects with `BrokerUnavailable`. */
export async function readConsumers(broker: Broker): Promise<Presence[]> {
  const announced = await readAnnounced(broker)
  return [...announced.values()]
    .filter((presence) => presence !== null)
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

/** What each consumer announced last, of all that are not forgotten; `null` if that has expired. */
export async function readAnnounced(broker: Broker): Promise<Map<string, Presence | null>> {
  return await ask(broker, 'list of consumers', async (redis) => {
    const names = await redis.smembers(consumersKey(broker))
    if (names.length === 0) return new Map()
    const announced = await redis.mget(...names.map((name) => presenceKey(broker, name)))
    return new Map(
      names.map((name, index) => [name, JSON.parse(announced[index] ?? 'null') as Presence | null]),
    )
  })
}
