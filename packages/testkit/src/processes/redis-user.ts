import { readFile } from 'node:fs/promises'
import type { Broker } from '@sekali/broker/connect'

/**
 * Makes a user in Redis with the rights that it has in docker compose, for the keys of `broker`. Resolves with a URL for it.
 * What a client was refused is in `ACL LOG`.
 */
export async function makeContainerUser(
  { redis, prefix }: Broker,
  redisUrl: string,
  user: 'consumer' | 'gateway' | 'projector' | 'dispatcher',
): Promise<string> {
  const keys = [`~${prefix}:*`, `&${prefix}:*`]
  await redis.call('ACL', 'SETUSER', user, 'on', '>secret', ...keys, '-@all', ...(await commandsOf(user)))
  const url = new URL(redisUrl)
  url.username = user
  url.password = 'secret'
  return url.href
}

/** As infra/docker/redis.sh has them. */
async function commandsOf(user: string): Promise<string[]> {
  const script = await readFile(new URL('../../../../infra/docker/redis.sh', import.meta.url), 'utf8')
  const textOf = (name: string): string => {
    const [, text = ''] = new RegExp(`^${name}=["']([^"']*)["']`, 'm').exec(script) ?? []
    return text.replace(/\$(\w+)/g, (_, other: string) => textOf(other))
  }
  // Redis 7.0 does not know it.
  return textOf(user)
    .split(/\s+/)
    .filter((command) => command !== '+client|setinfo')
}
