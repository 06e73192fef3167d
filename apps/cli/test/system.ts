import { type App, startApp, startGateway } from '@sekali/testkit/app'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { inject } from 'vitest'

export interface System extends AsyncDisposable {
  readonly url: string
  /** Can be killed, and started again at the same place. */
  readonly gateway: { kill(): Promise<void>; start(): Promise<void> }
}

/** A gateway, a consumer and, for a folder of projections, a projector, on a database and keys of their own. */
export async function ownSystem({ projections = '' } = {}): Promise<System> {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase())
  const servers = { REDIS_URL: inject('redisUrl'), DATABASE_URL: database.url, REDIS_PREFIX: ownPrefix() }
  const env = { ...servers, LOG_LEVEL: 'warn' }
  stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'consumer-1' }))
  if (projections !== '')
    stack.use(startApp('projector/src/main.ts', { ...env, PROJECTIONS_DIR: projections }))
  const first = stack.use(await startGateway(env))
  const { url } = first
  let gateway: App = first
  const kept = stack.move()
  return {
    url,
    gateway: {
      async kill() {
        gateway.signal('SIGKILL')
        await gateway.exited
      },
      async start() {
        gateway = kept.use(startApp('gateway/src/main.ts', { ...env, PORT: new URL(url).port }))
      },
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
