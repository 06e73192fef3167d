import { connectStore } from '@sekali/store/connect'
import { createFirstKey } from '@sekali/store/first-key'
import { type App, startApp, startGateway } from '@sekali/testkit/app'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { inject } from 'vitest'

export interface System extends AsyncDisposable {
  readonly url: string
  readonly databaseUrl: string
  /** It may do everything, where keys are asked for. */
  readonly firstKey: string | undefined
  /** What the first gateway has logged. */
  readonly logs: () => string
  /** Can be killed, and started again at the same place. */
  readonly gateway: { kill(): Promise<void>; start(): Promise<void> }
}

/** A gateway, a consumer and, for a folder of projections, a projector, on a database and keys of their own. */
export async function ownSystem({
  projections = '',
  asksForKeys = false,
  env: more = {} as Readonly<Record<string, string>>,
} = {}): Promise<System> {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase())
  const servers = { REDIS_URL: inject('redisUrl'), DATABASE_URL: database.url, REDIS_PREFIX: ownPrefix() }
  const env = { ...servers, LOG_LEVEL: 'warn', SEKALI_AUTH: asksForKeys ? 'keys' : 'off', ...more }
  stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'consumer-1' }))
  if (projections !== '')
    stack.use(startApp('projector/src/main.ts', { ...env, PROJECTIONS_DIR: projections }))
  const first = stack.use(await startGateway(env))
  const { url } = first
  let gateway: App = first
  const firstKey = asksForKeys ? await firstKeyOf(database.url) : undefined
  const kept = stack.move()
  return {
    url,
    databaseUrl: database.url,
    firstKey,
    logs: () => first.output(),
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

async function firstKeyOf(databaseUrl: string): Promise<string> {
  await using store = connectStore({ url: databaseUrl, poolMax: 1, name: 'test' }, quiet)
  const made = await createFirstKey(store, { replace: false, actor: 'test' })
  if (typeof made === 'string') throw new Error(made)
  return made.text
}
