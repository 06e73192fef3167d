/**
 * A whole system of our own in a folder: the same servers, processes and supervision as `npm start`, except that the
 * apps reach Redis and PostgreSQL, and the load reaches the gateway, through proxies that can be told to misbehave.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectBroker } from '@sekali/broker/connect'
import { runApp, startApp } from '@sekali/local/app-process'
import { ownBackend } from '@sekali/local/backend'
import { startFleet } from '@sekali/local/fleet'
import { waitReady } from '@sekali/local/readiness'
import { programs } from '@sekali/local/repository'
import { accessByRole } from '@sekali/local/roles'
import { freePort } from '@sekali/servers/free-port'
import { startPostgres } from '@sekali/servers/postgres-server'
import { startRedis } from '@sekali/servers/redis-server'
import { supervise } from '@sekali/servers/supervise'
import { connectStore } from '@sekali/store/connect'
import { accessRedis, accessSql, sessionsOf } from './access.ts'
import { startEmpty } from './empty.ts'
import { createExtras } from './extras.ts'
import { createKeys } from './keys.ts'
import { linesOf, type OnChange, processesOf, watchParts } from './parts.ts'
import { startProxy } from './proxy.ts'
import type { Target } from './target.ts'
import { startWebhooks } from './webhooks.ts'

export interface LocalOptions {
  readonly dir: string
  readonly consumers: number
  /** How many send webhooks; none if it is left out. */
  readonly dispatchers?: number
  readonly report: (part: string, what: string) => void
  readonly signal: AbortSignal
  /** After so long service must be back. */
  readonly recoveryMsMax?: number
}

/** What Node takes for its heap in a container of 512 MB (process.constrainedMemory), as docker-compose.yml has it. */
const gatewayHeapMb = 256

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export async function startLocal(options: LocalOptions) {
  const { dir, consumers, dispatchers = 0, report, signal, recoveryMsMax = 15_000 } = options
  const logDir = join(dir, 'logs')
  await mkdir(logDir, { recursive: true })
  await using parts = new AsyncDisposableStack()
  const { signalled, ended, onChange } = watchParts(logDir, report)
  let kills = 0
  const { postgres, redis, proxies, direct } = await startServers(parts, dir, onChange)

  signal.throwIfAborted()
  const { urls, migrateEnv } = accessByRole(postgres.url)
  await runApp({ name: 'migrate', program: programs.migrate, logDir, env: migrateEnv }, signal)
  const port = await freePort()
  const proxied = (role: 'consumer' | 'projector' | 'gateway' | 'dispatcher') => ({
    DATABASE_URL: through(urls[role], proxies['consumer-postgres'].port),
    REDIS_URL: through(redis.url, proxies['consumer-redis'].port),
  })
  const hooks = await startWebhooks(dir)
  const envs = {
    consumer: proxied('consumer'),
    projector: proxied('projector'),
    gateway: proxied('gateway'),
    dispatcher: { ...proxied('dispatcher'), ...hooks.dispatcherEnv },
  }
  const gatewayRedisUrl = through(redis.url, proxies['gateway-redis'].port)
  const { broker, store } = connectOwn(parts, direct)
  const keys = await createKeys(store)
  const gatewayEnv = {
    DATABASE_URL: urls.gateway,
    REDIS_URL: gatewayRedisUrl,
    PORT: String(port),
    SEKALI_AUTH: 'keys',
    ...hooks.gatewayEnv,
  }
  const apps = await startApps(parts, {
    ...{ logDir, consumers, dispatchers, onChange },
    envs: { ...envs, gateway: gatewayEnv },
  })
  const quietUrl = `http://127.0.0.1:${port}`
  await waitReady(quietUrl, join(logDir, 'gateway.log'), signal)
  const client = await startProxyTo(parts, quietUrl)

  const processes = processesOf(
    () => [
      { name: 'gateway', kind: 'gateway', pid: apps.gateway.current()?.pid },
      ...apps.fleet.members().map(({ name, pid }) => ({ name, kind: 'consumer' as const, pid })),
      ...apps.dispatching.members().map(({ name, pid }) => ({ name, kind: 'dispatcher' as const, pid })),
      { name: 'projector', kind: 'projector', pid: apps.projector.current()?.pid },
      { name: 'redis', kind: 'redis', pid: redis.pid() },
      { name: 'postgres', kind: 'postgres', pid: postgres.pid() },
    ],
    (part, name) => {
      if (name !== 'SIGCONT' && name !== 'SIGSTOP') signalled.add(part.name)
      if (name === 'SIGKILL') kills++
    },
  )
  const extras = createExtras(logDir, { ...envs, gateway: { ...envs.gateway, SEKALI_AUTH: 'keys' } })
  parts.use(extras)
  const owned = parts.move()
  return {
    name: 'local',
    recoveryMsMax,
    url: `http://127.0.0.1:${client.port}`,
    quietUrl,
    keyNow: keys.now,
    keys,
    processes,
    extras,
    proxies: { client, ...proxies },
    redis: accessRedis(broker),
    sql: accessSql(store),
    session: sessionsOf(postgres.url),
    servers: {
      redisDir: join(dir, 'redis'),
      postgresDir: join(dir, 'postgres'),
      startEmpty: (sizes) => startEmpty({ ...sizes, store, logDir, urls: direct }),
    },
    addresses: ['127.0.0.66'],
    ...(dispatchers > 0 && { webhooks: hooks.webhooks }),
    kills: () => kills + extras.ended(),
    strayNames: extras.names,
    ended: () => ended,
    logged: (words, sinceMs) => linesOf(logDir, words, sinceMs),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  } satisfies Target
}

/** Both servers, and the proxies through which the apps reach them; `direct` passes by the proxies, as the superuser. */
async function startServers(parts: AsyncDisposableStack, dir: string, onChange: OnChange) {
  const postgres = parts.use(
    await ownBackend((port) => startPostgres({ dir: join(dir, 'postgres'), ...port }), onChange('postgres')),
  )
  const redis = parts.use(
    await ownBackend((port) => startRedis({ dir: join(dir, 'redis'), ...port }), onChange('redis')),
  )
  const proxies = {
    'gateway-redis': await startProxyTo(parts, redis.url),
    'consumer-redis': await startProxyTo(parts, redis.url),
    'consumer-postgres': await startProxyTo(parts, postgres.url),
  }
  const direct = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
  return { postgres, redis, proxies, direct }
}

async function startProxyTo(parts: AsyncDisposableStack, url: string) {
  const { hostname: host, port } = new URL(url)
  return parts.use(await startProxy(() => ({ host, port: Number(port) })))
}

/** Our own ways to both servers, which no fault bothers. */
function connectOwn(
  parts: AsyncDisposableStack,
  { DATABASE_URL, REDIS_URL }: Record<'DATABASE_URL' | 'REDIS_URL', string>,
) {
  const broker = parts.use(
    connectBroker({ url: REDIS_URL, prefix: 'sekali', name: 'chaos', callMs: 10_000 }, quiet),
  )
  const store = parts.use(
    connectStore(
      { url: DATABASE_URL, poolMax: 4, name: 'chaos', statementMs: 60_000, connectMs: 15_000 },
      quiet,
    ),
  )
  return { broker, store }
}

interface AppsOptions {
  readonly logDir: string
  readonly consumers: number
  readonly dispatchers: number
  readonly envs: Readonly<
    Record<'consumer' | 'projector' | 'gateway' | 'dispatcher', Readonly<Record<string, string>>>
  >
  readonly onChange: OnChange
}

/** Consumers, dispatchers, a projector and a gateway, which `parts` stops in reverse order. */
async function startApps(parts: AsyncDisposableStack, options: AppsOptions) {
  const { logDir, consumers, dispatchers, envs, onChange } = options
  const ofFleet = { logDir, onChange: (name: string, reason?: string) => onChange(name)(reason) }
  const fleet = parts.use(await startFleet({ ...ofFleet, size: consumers, env: envs.consumer }))
  const dispatching = parts.use(
    await startFleet({ ...ofFleet, kind: 'dispatcher', size: dispatchers, env: envs.dispatcher }),
  )
  const startProjector = () =>
    startApp({ name: 'projector', program: programs.projector, logDir, env: envs.projector })
  const projector = parts.use(await supervise({ start: startProjector, onChange: onChange('projector') }))
  const nodeFlags = [`--max-old-space-size=${gatewayHeapMb}`]
  const startGateway = () =>
    startApp({ name: 'gateway', program: programs.gateway, logDir, env: envs.gateway, nodeFlags })
  const gateway = parts.use(await supervise({ start: startGateway, onChange: onChange('gateway') }))
  return { fleet, dispatching, projector, gateway }
}

function through(url: string, port: number): string {
  const other = new URL(url)
  other.port = String(port)
  return other.href
}
