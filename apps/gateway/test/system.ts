import { freePort } from '@sekali/servers/free-port'
import { type App, startApp, startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { type Scraped, scrape } from '@sekali/testkit/scrape'
import { inject } from 'vitest'
import { eventBody, post } from './gateway.ts'

export interface System extends AsyncDisposable {
  readonly url: string
  readonly gateway: App
  readonly consumer: App
  readonly env: Record<string, string>
  get(path: string): Promise<Response>
  publish(fields?: Readonly<Record<string, unknown>>): Promise<Response>
  stats(): Promise<Stats>
  /** What the gateway tells Prometheus. */
  scrape(): Promise<Scraped>
  /** Waits until everything that was accepted is accounted for, and answers with the figures. */
  settled(): Promise<Stats>
}

interface Stats {
  readonly performance_metrics: { readonly uptime_seconds: number; readonly throughput_rps: number }
  readonly traffic_stats: { total_received_api: number | null; duplicates_dropped_consumer: number | null }
  readonly database_stats: { unique_events_stored: number | null }
  readonly totals: Readonly<Record<string, number | null>>
  readonly topics: readonly (Readonly<Record<string, number | null>> & { readonly topic: string })[] | null
  readonly consumers:
    | readonly { name: string; started_at: string; last_turn_at: string | null; turns: number }[]
    | null
}

/** A gateway and a consumer as processes, on a database and keys of their own. */
export async function ownSystem(
  redisUrl = inject('redisUrl'),
  postgresUrl = inject('postgresUrl'),
  more: Readonly<Record<string, string>> = {},
): Promise<System> {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase(postgresUrl))
  const env = {
    REDIS_URL: redisUrl,
    DATABASE_URL: database.url,
    REDIS_PREFIX: ownPrefix(),
    LOG_LEVEL: 'warn',
    ...more,
  }
  const consumer = stack.use(startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'consumer-1' }))
  const metricsPort = String(await freePort())
  const gateway = stack.use(await startGateway({ ...env, METRICS_PORT: metricsPort }))
  const { url } = gateway

  const stats = async () => (await (await fetch(`${url}/stats`)).json()) as Stats
  return {
    url,
    gateway,
    consumer,
    env,
    get: (path) => fetch(`${url}${path}`),
    publish: (fields) => fetch(`${url}/publish`, post(eventBody(fields))),
    stats,
    scrape: () => scrape(metricsPort),
    settled: () =>
      eventually(async () => {
        const now = await stats()
        if (now.totals.in_flight !== 0) throw new Error(`in flight: ${now.totals.in_flight}`)
        return now
      }, 30_000),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
