import { startApp, startGateway } from '@sekali/testkit/app'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { inject } from 'vitest'

export interface System extends AsyncDisposable {
  readonly url: string
}

/** A gateway, a consumer and, for a folder of projections, a projector, on a database and keys of their own. */
export async function ownSystem({ projections = '' } = {}): Promise<System> {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase(inject('postgresUrl')))
  const servers = { REDIS_URL: inject('redisUrl'), DATABASE_URL: database.url, REDIS_PREFIX: ownPrefix() }
  const env = { ...servers, LOG_LEVEL: 'warn' }
  stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'consumer-1' }))
  if (projections !== '')
    stack.use(startApp('projector/src/main.ts', { ...env, PROJECTIONS_DIR: projections }))
  const { url } = stack.use(await startGateway(env))
  const kept = stack.move()
  return { url, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
