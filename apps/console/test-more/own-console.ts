import { join } from 'node:path'
import { startApp, startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { ownFolder } from '@sekali/testkit/servers'
import { inject } from 'vitest'
import { buildConsole } from '../build.ts'
import { ownPageProxy } from './page-proxy.ts'

export interface OwnConsole extends AsyncDisposable {
  /** Of the page, behind a prefix. */
  readonly url: string
  /** Of the API, without one. */
  readonly apiUrl: string
  /** Any text as the body. Fails unless it is queued. */
  publish(body: string, headers?: Readonly<Record<string, string>>): Promise<void>
  /** Waits until all that was accepted is accounted for. */
  settled(): Promise<void>
}

interface OwnConsoleOptions {
  readonly redisUrl?: string
  readonly postgresUrl?: string
  /** More settings of the gateway, the consumer and the projector. */
  readonly env?: Readonly<Record<string, string>>
}

/** The real system, with the page as it is built, behind a prefix. */
export async function ownConsole(options: OwnConsoleOptions = {}): Promise<OwnConsole> {
  const { redisUrl = inject('redisUrl'), postgresUrl = inject('postgresUrl') } = options
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase(postgresUrl))
  const folder = stack.use(await ownFolder())
  const env = {
    REDIS_URL: redisUrl,
    DATABASE_URL: database.url,
    REDIS_PREFIX: ownPrefix(),
    LOG_LEVEL: 'warn',
    ...options.env,
  }
  stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'consumer-1' }))
  const [gateway, page] = await Promise.all([startGateway(env), buildConsole(join(folder.path, 'page'))])
  stack.use(gateway)
  const proxy = stack.use(await ownPageProxy(page.folder, gateway.url, '/sekali/'))
  const owned = stack.move()
  return {
    url: proxy.url,
    apiUrl: gateway.url,
    publish: async (body, headers = {}) => {
      const answer = await fetch(`${gateway.url}/publish`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body,
      })
      if (!answer.ok) throw new Error(`publish answers ${answer.status}: ${await answer.text()}`)
    },
    settled: async () => {
      await eventually(async () => {
        const stats = (await (await fetch(`${gateway.url}/stats?limit=1`)).json()) as Stats
        if (stats.totals.in_flight !== 0) throw new Error(`in flight: ${stats.totals.in_flight}`)
      }, 30_000)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Stats {
  readonly totals: { readonly in_flight: number | null }
}
