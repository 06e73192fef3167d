/** A gateway that asks for keys, in this process, on a database and keys of its own. */
import { untilConnected } from '@sekali/broker/connect'
import type { Grant } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import { createKey, type MadeKey } from '@sekali/store/change-keys'
import { connectStore } from '@sekali/store/connect'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { inject } from 'vitest'
import { repeat } from '../src/access/repeat.ts'
import type { GatewayOptions } from '../src/wire.ts'
import { serveGateway } from './served-gateway.ts'

export interface Wanted extends Omit<Partial<Grant>, 'topics'> {
  readonly topics?: readonly string[]
  readonly expiresAt?: string
}

export async function ownKeys(options: GatewayOptions = {}, redisUrl = inject('redisUrl')) {
  const stack = new AsyncDisposableStack()
  const { url: databaseUrl } = stack.use(await ownDatabase())
  const prefix = ownPrefix()
  const gateway = stack.use(await serveGateway({ redisUrl, databaseUrl, prefix, auth: 'keys', ...options }))
  await untilConnected(gateway.broker, 5_000)
  const { store } = gateway
  return {
    ...gateway,
    env: { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, REDIS_PREFIX: prefix },
    /** Makes a key that may do everything unless `wanted` says otherwise. */
    make: ({ topics = ['>'], ...wanted }: Wanted = {}) => makeKey(store, { topics, ...wanted }),
    /** Asks with a key, or without one. */
    ask: (path: string, key?: string, init: RequestInit = {}) =>
      fetch(`${gateway.url}${path}`, { ...init, headers: { ...bearer(key), ...init.headers } }),
    /** Does it while the database takes nobody in, and has sent everybody away. */
    async withoutPostgres(work: () => Promise<void>) {
      await using server = connectStore({ url: inject('postgresUrl'), poolMax: 1, name: 'test' }, quiet)
      const name = new URL(databaseUrl).pathname.slice(1)
      await server.pool.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
      const sendAway = () =>
        server.pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
      await sendAway()
      // Again and again: whoever was let in a moment before, and was not through with it, is seen only later.
      const sending = repeat(100, async () => void (await sendAway()))
      try {
        await work()
      } finally {
        await sending[Symbol.asyncDispose]()
        await server.pool.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export const bearer = (key?: string): Record<string, string> =>
  key === undefined ? {} : { Authorization: `Bearer ${key}` }

async function makeKey(
  store: Parameters<typeof createKey>[0],
  { topics = ['>'], ...wanted }: Wanted,
): Promise<MadeKey> {
  const key = {
    name: 'test',
    scopes: ['publish', 'read', 'work', 'admin'] as const,
    ...wanted,
    topics: topics.map(parsePattern),
  }
  const made = await createKey(store, key, { actor: 'test' })
  if (typeof made === 'string') throw new Error(made)
  return made
}
