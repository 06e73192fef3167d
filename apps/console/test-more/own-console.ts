import { type Gateway, startApp, startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix as ownKeys } from '@sekali/testkit/own'
import { inject } from 'vitest'
import { ownPrefix } from './own-prefix.ts'

export interface OwnConsole extends AsyncDisposable {
  /** Of the page, behind a prefix, with a slash at its end. */
  readonly url: string
  readonly gateway: Gateway
  /** Settings of the gateway and the consumer, to start more of them. */
  readonly env: Readonly<Record<string, string>>
  /** Any text as the body. Fails unless it is queued. */
  publish(body: string): Promise<void>
  /** Waits until all that was accepted is accounted for. */
  settled(): Promise<void>
}

interface OwnConsoleOptions {
  readonly redisUrl?: string
  readonly postgresUrl?: string
  readonly env?: Readonly<Record<string, string>>
}

/** The real system, with the page as it is built, behind a prefix. */
export async function ownConsole(options: OwnConsoleOptions = {}): Promise<OwnConsole> {
  const { redisUrl = inject('redisUrl'), postgresUrl = inject('postgresUrl') } = options
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase(postgresUrl))
  const env = {
    REDIS_URL: redisUrl,
    DATABASE_URL: database.url,
    REDIS_PREFIX: ownKeys(),
    LOG_LEVEL: 'warn',
    ...options.env,
  }
  stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'consumer-1' }))
  const gateway = stack.use(await startGateway(env))
  const proxy = stack.use(await ownPrefix(gateway.url, '/sekali/'))
  const owned = stack.move()
  return {
    url: proxy.url,
    gateway,
    env,
    publish: async (body) => {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await fetch(`${gateway.url}/publish`, { method: 'POST', headers, body })
      if (!answer.ok) throw new Error(`publish answers ${answer.status}: ${await answer.text()}`)
    },
    settled: async () => {
      await eventually(async () => {
        const { totals } = (await (await fetch(`${gateway.url}/stats?limit=1`)).json()) as Stats
        if (totals.in_flight !== 0) throw new Error(`in flight: ${totals.in_flight}`)
      }, 30_000)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Stats {
  readonly totals: { readonly in_flight: number | null }
}

/** An event as JSON text; `payload` is JSON text, too. */
export function eventText(
  fields: Readonly<Record<string, string>> = {},
  payload = '{"total":12.50}',
): string {
  const event = {
    topic: 'orders.eu.paid',
    event_id: 'order-1',
    source: 'shop-1',
    timestamp: '2025-12-08T10:00:00Z',
    ...fields,
  }
  return `${JSON.stringify(event).slice(0, -1)},"payload":${payload}}`
}

/** So many events of a topic, with ids `PREFIX-1` and so on, as an array. */
export const eventsText = (count: number, fields: Readonly<Record<string, string>> = {}, prefix = 'order') =>
  `[${Array.from({ length: count }, (_, at) => eventText({ event_id: `${prefix}-${at + 1}`, ...fields })).join()}]`
