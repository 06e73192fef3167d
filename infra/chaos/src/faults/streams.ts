// How a topic's stream and its group stand, asked of Redis.
import type { RedisAccess } from '../targets/target.ts'

export interface Found {
  readonly key: string
  readonly group: string
  readonly pending: number
  readonly lastDelivered: string
}

const value = (reply: unknown, name: string): unknown =>
  Array.isArray(reply) ? reply[reply.indexOf(name) + 1] : undefined

const ignoreMissing = (asked: Promise<unknown>): Promise<unknown> =>
  asked.catch((error: Error) => {
    if (!error.message.includes('no such key')) throw error
  })

/** Undefined when the topic has no stream or no group now. */
export async function withStream(redis: RedisAccess, topic: string): Promise<Found | undefined> {
  const key = `${redis.prefix}:stream:${topic}`
  const groups = await ignoreMissing(redis.call('XINFO', 'GROUPS', key))
  if (!Array.isArray(groups) || groups.length === 0) return undefined
  return {
    key,
    group: String(value(groups[0], 'name')),
    pending: Number(value(groups[0], 'pending')),
    lastDelivered: String(value(groups[0], 'last-delivered-id')),
  }
}

/** Names of consumers in the group that have entries pending. */
export async function readPendingConsumers(redis: RedisAccess, { key, group }: Found): Promise<string[]> {
  const consumers = (await redis.call('XINFO', 'CONSUMERS', key, group)) as unknown[]
  return consumers
    .filter((consumer) => Number(value(consumer, 'pending')) > 0)
    .map((consumer) => String(value(consumer, 'name')))
}
