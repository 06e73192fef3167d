import type { Redis } from 'ioredis'
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

/** What each consumer has said last, by name; `null` if that has expired. */
export type Announced = ReadonlyMap<string, Presence | null>

/**
 * Says that a consumer is here, and resolves with what all have said. Each consumer does this once a second, so it is one
 * answer of Redis as long as `known`, the names that there were, has them all. Rejects with `BrokerUnavailable`.
 */
export async function announce(
  broker: Broker,
  presence: Presence,
  known: Iterable<string> = [],
): Promise<Announced> {
  const asked = [...new Set([presence.name, ...known])]
  return await ask(broker, 'announce', async (redis) => {
    const [, , names, said] = await transact(redis, () => [
      redis.sadd(consumersKey(broker), presence.name),
      redis.set(presenceKey(broker, presence.name), JSON.stringify(presence), 'PX', expiresMs),
      redis.smembers(consumersKey(broker)),
      redis.mget(...asked.map((name) => presenceKey(broker, name))),
    ])
    const announced = announcedOf(asked, said as (string | null)[])
    const all = names as string[]
    if (all.some((name) => !announced.has(name))) return await readNamed(broker, redis, all)
    return new Map(all.map((name) => [name, announced.get(name) ?? null]))
  })
}

const announcedOf = (names: readonly string[], said: readonly (string | null)[]) =>
  new Map(names.map((name, index) => [name, JSON.parse(said[index] ?? 'null') as Presence | null]))

async function readNamed(broker: Broker, redis: Redis, names: readonly string[]): Promise<Announced> {
  if (names.length === 0) return new Map()
  return announcedOf(names, await redis.mget(...names.map((name) => presenceKey(broker, name))))
}

/** Says that a consumer has left. Rejects with `BrokerUnavailable`. */
export const leave = (broker: Broker, name: string): Promise<unknown> =>
  ask(broker, 'leave', (redis) =>
    transact(redis, () => [redis.del(presenceKey(broker, name)), redis.srem(consumersKey(broker), name)]),
  )

/** The consumers that are here, by name. Rejects with `BrokerUnavailable`. */
export const readConsumers = async (broker: Broker): Promise<Presence[]> =>
  [...presentIn(await readAnnounced(broker))].sort((a, b) =>
    a.name.localeCompare(b.name, 'en', { numeric: true }),
  )

/** Those that are here. */
export const presentIn = (announced: Announced): Presence[] =>
  [...announced.values()].filter((presence) => presence !== null)

/** What all have said that are not forgotten. Rejects with `BrokerUnavailable`. */
export const readAnnounced = (broker: Broker): Promise<Announced> =>
  ask(broker, 'list of consumers', async (redis) =>
    readNamed(broker, redis, await redis.smembers(consumersKey(broker))),
  )
