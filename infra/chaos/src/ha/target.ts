/**
 * A system in which everything is there more than once: a Redis with two replicas and three Sentinels, a PostgreSQL with a
 * standby, consumers, and gateways behind HAProxy. With protection, replicas confirm what is acknowledged, and what is stored
 * stays in Redis for a time; without, not.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectBroker, untilConnected } from '@sekali/broker/connect'
import { startApp } from '@sekali/local/app-process'
import { startFleet } from '@sekali/local/fleet'
import { waitReady } from '@sekali/local/readiness'
import { programs } from '@sekali/local/repository'
import { freePort } from '@sekali/servers/free-port'
import { supervise } from '@sekali/servers/supervise'
import { connectStore, type Store } from '@sekali/store/connect'
import { ownPgBouncer, type PgBouncer } from '@sekali/testkit/pgbouncer'
import { quiet } from '@sekali/testkit/quiet'
import { ownReplicated, type Replicated } from '@sekali/testkit/replicated'
import { type OwnSentinels, ownSentinels } from '@sekali/testkit/sentinels'
import { until } from '../clock.ts'
import { accessRedis, accessSql } from '../targets/access.ts'
import { createKeys } from '../targets/keys.ts'
import { linesOf, type OnChange, processesOf, watchParts } from '../targets/parts.ts'
import type { Part, Processes, Target } from '../targets/target.ts'
import { startEdge } from './haproxy.ts'
import { hosts } from './network.ts'
import { type Patroni, startPatroni } from './patroni.ts'

export interface HaOptions {
  readonly dir: string
  readonly consumers: number
  readonly isProtected: boolean
  /** A primary with its standby, unless it says so; with PgBouncer in front of the primary, or one that Patroni runs. */
  readonly database?: 'pgbouncer' | 'patroni' | undefined
  readonly report: (part: string, what: string) => void
  readonly signal: AbortSignal
}

/** Where PostgreSQL is, and how it is broken. */
interface Database {
  /** For the apps. */
  readonly url: string
  /** Our own way to the primary. */
  readonly store: () => Store
  readonly pair?: Replicated
  readonly pooler?: PgBouncer
  readonly patroni?: Patroni
}

export interface HaTarget extends Target {
  readonly isProtected: boolean
  readonly processes: Processes
  readonly sentinels: OwnSentinels
  readonly database: Database
  /** Where each gateway answers, past HAProxy. */
  readonly gatewayUrls: ReadonlyMap<string, string>
  /** What apps get to know, for more of them. */
  readonly env: Readonly<Record<string, string>>
  readonly logDir: string
  /** A server was killed by other ways than `processes`. */
  noteKill(): void
}

const gateways = 3
const redisDownMs = 2_000
const readyMs = 30_000

export async function startHa(options: HaOptions): Promise<HaTarget> {
  const { dir, isProtected, report, signal } = options
  const logDir = join(dir, 'logs')
  await mkdir(logDir, { recursive: true })
  await using parts = new AsyncDisposableStack()
  const { signalled, ended, onChange } = watchParts(logDir, report)
  let kills = 0
  const sentinels = parts.use(await ownSentinels({ downMs: redisDownMs, hosts }))
  const database = await startDatabase(parts, options.database)
  const { store } = database
  signal.throwIfAborted()
  const env = { REDIS_URL: sentinels.url, DATABASE_URL: database.url }
  const broker = parts.use(
    connectBroker({ url: sentinels.url, prefix: 'sekali', name: 'chaos', callMs: 10_000 }, quiet),
  )
  await untilConnected(broker, 10_000)
  const keys = await createKeys(store())
  const apps = await startApps(parts, { ...options, logDir, env, onChange })
  const edge = parts.use(await startEdge(dir, apps.ports))
  const url = `http://127.0.0.1:${edge.port}`
  for (const [name, own] of apps.urls) await waitReady(own, join(logDir, `${name}.log`), signal)
  await waitReady(url, join(logDir, 'gateway-1.log'), signal)
  const areReady = async () => {
    const answers = await Promise.all(apps.healths().map((health) => fetch(`${health}/readyz`)))
    return answers.every(({ ok }) => ok)
  }
  if (!(await until(areReady, readyMs, signal))) throw new Error('consumers or projector do not get ready')

  const processes = processesOf(apps.parts, (part, name) => {
    if (name !== 'SIGCONT' && name !== 'SIGSTOP') signalled.add(part.name)
    if (name === 'SIGKILL') kills++
  })
  const owned = parts.move()
  return {
    ...{ name: 'ha', url, quietUrl: url, recoveryMsMax: 15_000, keyNow: keys.now, keys, processes },
    ...{ isProtected, sentinels, database, gatewayUrls: apps.urls, env, logDir },
    redis: accessRedis(broker),
    sql: { rows: (query) => accessSql(store()).rows(query) },
    noteKill: () => void kills++,
    kills: () => kills,
    strayNames: () => 2, // of consumers that a drill has started
    ended: () => ended,
    logged: (words, sinceMs) => linesOf(logDir, words, sinceMs),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startDatabase(parts: AsyncDisposableStack, kind: HaOptions['database']): Promise<Database> {
  const connect = (url: string): Store =>
    parts.use(connectStore({ url, poolMax: 4, name: 'chaos', statementMs: 60_000, connectMs: 15_000 }, quiet))
  if (kind === 'patroni') {
    const patroni = parts.use(await startPatroni())
    const own = connect(patroni.url)
    return { url: patroni.url, patroni, store: () => own }
  }
  const pair = parts.use(await ownReplicated())
  // We know which server was promoted, whatever the other one says of itself.
  const [first, second] = [connect(pair.primary.url), connect(pair.standby.url)]
  let own = first
  const promote = async () => {
    await pair.promote()
    own = second
  }
  const database = { url: pair.url, pair: { ...pair, promote }, store: () => own }
  if (kind !== 'pgbouncer') return database
  const pooler = parts.use(await ownPgBouncer(pair.primary.url, { mode: 'transaction' }))
  return { ...database, url: pooler.url, pooler }
}

interface AppsOptions extends HaOptions {
  readonly logDir: string
  readonly env: Readonly<Record<string, string>>
  readonly onChange: OnChange
}

/** Consumers, a projector and gateways, which `parts` stops in reverse order. */
async function startApps(parts: AsyncDisposableStack, options: AppsOptions) {
  const { consumers, isProtected, logDir, env, onChange } = options
  const onPart = (name: string, reason?: string) => onChange(name)(reason)
  const keep = { KEEP_SECONDS: isProtected ? '60' : '0' }
  const fleet = parts.use(
    await startFleet({ size: consumers, logDir, env: { ...env, ...keep }, onChange: onPart }),
  )
  const projectors = parts.use(
    await startFleet({ kind: 'projector', size: 1, logDir, env, onChange: onPart }),
  )
  const ports = await Promise.all(Array.from({ length: gateways }, freePort))
  const replicas = { REDIS_REPLICAS_MIN: isProtected ? '1' : '0' }
  const all = await Promise.all(
    ports.map(async (port, index) => {
      const name = `gateway-${index + 1}`
      const itsEnv = { ...env, ...replicas, PORT: String(port), SEKALI_AUTH: 'keys' }
      const start = () => startApp({ name, program: programs.gateway, logDir, env: itsEnv })
      return { name, process: parts.use(await supervise({ start, onChange: onChange(name) })) }
    }),
  )
  const found = (kind: Part['kind'], members: readonly { name: string; pid: number | undefined }[]) =>
    members.map(({ name, pid }) => ({ name, kind, pid }))
  return {
    ports,
    healths: () => [...fleet.members(), ...projectors.members()].map(({ health }) => health),
    urls: new Map(all.map(({ name }, index) => [name, `http://127.0.0.1:${ports[index]}`])),
    parts: () => [
      ...found(
        'gateway',
        all.map(({ name, process }) => ({ name, pid: process.current()?.pid })),
      ),
      ...found('consumer', fleet.members()),
      ...found('projector', projectors.members()),
    ],
  }
}
