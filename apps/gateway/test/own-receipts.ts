import { startApp, startGateway } from '@sekali/testkit/app'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { inject } from 'vitest'
import { post } from './gateway.ts'

/** A gateway as a process, for publishers that wait, and a consumer when a test wants one. */
export async function ownReceipts() {
  const broker = await ownBroker()
  const database = await ownDatabase()
  const env = {
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: broker.prefix,
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
  }
  const gateway = await startGateway(env)
  return {
    broker,
    databaseUrl: database.url,
    url: gateway.url,
    gateway,
    startConsumer: () => startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'c1' }),
    publish: async (body: string, wait = 10) => {
      const response = await fetch(`${gateway.url}/publish`, post(body, { Prefer: `wait=${wait}` }))
      const {
        title: _title,
        detail: _detail,
        type: _type,
        ...said
      } = (await response.json()) as Record<string, unknown>
      return [response.status, said, response.headers.get('preference-applied')] as const
    },
    get: (path: string) => fetch(`${gateway.url}${path}`),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
