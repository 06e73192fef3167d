import { programs } from '@sekali/local/repository'
import { connectStore, type Store } from '@sekali/store/connect'
import { createFirstKey } from '@sekali/store/first-key'
import type { Processes } from '../measure/processor-time.ts'
import type { Bench } from './bench.ts'
import { startServing, startWorking } from './program.ts'
import { sumUp, type TopicSums } from './topic-sums.ts'

/** Sekali as `npm start` runs it: a gateway and consumers, on keys of their own. */
export interface System extends AsyncDisposable {
  readonly url: string
  /** The key that the gateway asks for, if it asks for one. It may do everything. */
  readonly key: string | undefined
  readonly store: Store
  /** Of our apps. */
  readonly env: Readonly<Record<string, string>>
  /** Ours: gateway and consumers, by process id. */
  readonly apps: Readonly<Record<string, number>>
  /** Ours and the servers. */
  readonly processes: Processes
  /** Where gateway and consumers serve their metrics, the gateway first. */
  metricsUrls(): readonly string[]
  /** What has become of everything that was ever accepted. */
  sums(): Promise<TopicSums>
}

let systems = 0

export interface SystemOptions {
  readonly consumers: number
  /** One that has our tables; a new one unless given. */
  readonly databaseUrl?: string
  /** The gateway asks for keys. */
  readonly keys?: boolean
  /** More settings of gateway and consumers. */
  readonly env?: Readonly<Record<string, string>>
  /** More flags of Node, for the gateway. */
  readonly gatewayFlags?: readonly string[]
}

export async function startSystem(bench: Bench, options: SystemOptions): Promise<System> {
  await using parts = new AsyncDisposableStack()
  systems += 1
  const name = `bench${systems}`
  const databaseUrl = options.databaseUrl ?? (await bench.createDatabase())
  const env = { ...options.env, DATABASE_URL: databaseUrl, REDIS_URL: bench.redis.url, REDIS_PREFIX: name }
  const store = parts.use(connectStore({ url: databaseUrl, poolMax: 1, name: 'bench' }, { warn: () => {} }))
  const apps: Record<string, number> = {}
  const metrics: (() => string | undefined)[] = []
  for (let number = 1; number <= options.consumers; number += 1) {
    const consumer = `${name}-consumer-${number}`
    const app = await startWorking(bench, consumer, programs.consumer, { ...env, CONSUMER_NAME: consumer })
    parts.defer(app.stop)
    apps[`consumer ${number}`] = app.pid
    metrics.push(app.metrics)
  }
  const key = options.keys ? await makeKey(store) : undefined
  const auth = { SEKALI_AUTH: options.keys ? 'keys' : 'off' }
  const gateway = parts.use(
    await startServing(bench, `${name}-gateway`, programs.gateway, { ...env, ...auth }, options.gatewayFlags),
  )
  apps.gateway = gateway.pid
  metrics.unshift(gateway.metrics)
  const opened = parts.move()
  return {
    url: gateway.url,
    key,
    store,
    env,
    apps,
    processes: { ...apps, ...bench.servers },
    metricsUrls: () => metrics.flatMap((url) => url() ?? []),
    sums: () => sumUp(store),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function makeKey(store: Store): Promise<string> {
  const made = await createFirstKey(store, { replace: true, actor: 'bench' })
  if (typeof made === 'string') throw new Error(`no key for the benchmark: ${made}`)
  return made.text
}
