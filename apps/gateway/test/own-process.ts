import { startGateway } from '@sekali/testkit/app'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { inject } from 'vitest'

/** A gateway as a process, on a database and keys of its own. */
export async function ownProcess(redisUrl = inject('redisUrl')) {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await ownBroker(redisUrl))
  const database = stack.use(await ownDatabase())
  const env = {
    REDIS_URL: redisUrl,
    REDIS_PREFIX: broker.prefix,
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
  }
  const gateway = stack.use(await startGateway(env))
  const parts = stack.move()
  return {
    env,
    broker,
    gateway,
    url: gateway.url,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
