// The whole system on one machine: Redis, PostgreSQL, the gateway, N consumers, M projectors and K dispatchers, each a process
// of its own, each started again when it ends by itself. The parts stop in the opposite order of their start: first the gateway
// (no new events come in), then consumers, projectors and dispatchers (they finish what they do), then Redis and PostgreSQL. Log files
// are appended to and never rotated.
import { join, resolve } from 'node:path'
import process from 'node:process'
import type { AuthMode } from '@sekali/process/auth'
import { sizeOf } from '@sekali/servers/log-tail'
import { supervise } from '@sekali/servers/supervise'
import { programs } from '../command/repository.ts'
import { UsageError } from '../command/usage-error.ts'
import { runApp, startApp } from './app-process.ts'
import { startBackends, stopLeftovers } from './backends.ts'
import { makeDataFolder } from './data-folder.ts'
import { lockData } from './data-lock.ts'
import { watchDisk } from './disk.ts'
import { makeFirstKey } from './first-key.ts'
import { startFleet } from './fleet.ts'
import { addressOf, claimPort } from './gateway-port.ts'
import { checkGivenServers } from './given-servers.ts'
import { waitForHealth, watchHealth } from './health-watch.ts'
import { upgradeKeysBeside } from './key-upgrade.ts'
import { narrateNotices } from './notices.ts'
import { waitReady } from './readiness.ts'
import { clearMark, whyRestored } from './restored-mark.ts'
import { accessByRole, accessByUrl } from './roles.ts'
import { publishRunFile, type RunFile } from './run-file.ts'
import { checkSettings } from './settings.ts'
import { webhookKeyOf } from './webhook-key.ts'

export interface StackOptions {
  readonly dir: string
  /** The gateway's; a free one unless given. */
  readonly port?: number
  readonly host?: string
  /** Where the gateway answers about its health: on a free port, of this machine alone, unless given. */
  readonly healthPort?: number
  readonly healthHost?: string
  readonly consumers: number
  /** None unless given. */
  readonly projectors?: number
  /** None unless given. */
  readonly dispatchers?: number
  /** A folder of definitions for the projectors, besides those that are built in. */
  readonly projections?: string | undefined
  /** Whether the gateway asks for keys; it does not unless this says so. */
  readonly auth?: AuthMode
  /** Makes the first key, if there is none; it does unless this is false: a key that nobody would see is lost. */
  readonly makeKey?: boolean
  /** Revokes the keys that may do everything and makes a new one, for whoever has lost them. */
  readonly replaceFirstKey?: boolean
  /** Begins a new epoch in each topic first: the folder is a copy, or was put back, and may not be the newest. */
  readonly restored?: boolean
  /** Used instead of a PostgreSQL of our own. */
  readonly databaseUrl?: string | undefined
  /** Used instead of a Redis of our own. */
  readonly redisUrl?: string | undefined
  /** Called with a part of the stack and what happens to it. */
  readonly onEvent?: (part: string, what: string) => void
  /** Gives up starting. A stack that has started is stopped by `stop` only. */
  readonly signal?: AbortSignal
}

export interface Stack extends AsyncDisposable {
  /** Where the gateway answers. */
  readonly url: string
  readonly dir: string
  readonly logDir: string
  /** The key that may do everything, if this start has made it. It is nowhere else: who does not keep it has lost it. */
  readonly firstKey: string | undefined
  /** What runs now, as `run.json` says it. */
  running(): RunFile
  /** Drains and stops everything. Safe twice. */
  stop(): Promise<void>
}

/** Starts everything and waits until it is ready to take events. When that fails nothing is left running. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const {
    host = '127.0.0.1',
    auth = 'off',
    projectors = 0,
    dispatchers = 0,
    projections,
    onEvent = () => {},
    signal,
  } = options
  checkSettings(process.env, { SEKALI_AUTH: auth, HOST: host })
  const dir = resolve(options.dir)
  const logDir = join(dir, 'logs')
  await makeDataFolder(dir)
  await using parts = new AsyncDisposableStack()
  const lock = parts.use(await lockData(dir))
  const disk = parts.use(watchDisk(dir, onEvent))
  const runFile = parts.use(publishRunFile(dir, (error) => disk.onTrouble(error, () => runFile.refresh())))
  await stopLeftovers(dir, onEvent)
  const patient = lock.wasStale
  const port = await claimPort({ port: options.port, host, patient })
  const healthHost = options.healthHost ?? '127.0.0.1'
  const healthPort = await claimPort({
    port: options.healthPort || undefined,
    host: healthHost,
    patient,
    options: { port: '--health-port', host: '--health-host' },
  })
  if (port === healthPort) throw new UsageError('--port and --health-port are the same: choose two.')

  const onChange = (part: string) => (reason?: string) => {
    if (reason !== undefined) onEvent(part, reason)
    runFile.refresh()
  }
  const step = (part: string, what: string) => {
    signal?.throwIfAborted()
    onEvent(part, what)
  }

  await checkGivenServers(options, logDir, step, signal)
  const { databaseUrl, restored = false } = options
  const whyNewEpochs = databaseUrl === undefined ? await whyRestored(dir, restored) : undefined
  const { postgres, redis } = await startBackends(parts, { ...options, dir }, step, onChange)
  const { urls, migrateEnv } = (databaseUrl ? accessByUrl : accessByRole)(postgres.url)
  const envOf = (url: string) => ({ DATABASE_URL: url, REDIS_URL: redis.url })
  step('PostgreSQL', 'gets its tables')
  let keyless: number | undefined
  const onKeyless = (events: number) => {
    keyless = events
  }
  await runApp({ name: 'migrate', program: programs.migrate, logDir, env: migrateEnv, onKeyless }, signal)
  if (whyNewEpochs !== undefined) {
    // Before anything is stored: what comes later has numbers that readers know for other events.
    step('each topic', `begins a new epoch, ${whyNewEpochs}`)
    const app = { name: 'restored', program: programs.restored, args: ['--yes'] }
    await runApp({ ...app, logDir, env: { DATABASE_URL: urls.owner } }, signal)
    await clearMark(dir)
  }

  const ofFleet = { logDir, onChange: (name: string, reason?: string) => onChange(name)(reason) }
  if (projectors > 0) step('projectors', `are starting, ${projectors} of them`)
  const projectionsEnv = projections === undefined ? {} : { PROJECTIONS_DIR: resolve(projections) }
  const projectorEnv = { ...envOf(urls.projector), ...projectionsEnv }
  const onNotice = narrateNotices(projections ?? '', onEvent)
  const projecting = parts.use(
    await startFleet({ ...ofFleet, kind: 'projector', size: projectors, env: projectorEnv, onNotice }),
  )
  const webhookEnv = { WEBHOOK_KEY: await webhookKeyOf(dir, process.env) }
  if (dispatchers > 0) step('dispatchers', `are starting, ${dispatchers} of them`)
  const dispatcherEnv = { ...envOf(urls.dispatcher), ...webhookEnv }
  const dispatching = parts.use(
    await startFleet({ ...ofFleet, kind: 'dispatcher', size: dispatchers, env: dispatcherEnv }),
  )
  step('consumers', `are starting, ${options.consumers} of them`)
  const consuming = parts.use(
    await startFleet({ ...ofFleet, size: options.consumers, env: envOf(urls.consumer) }),
  )
  step('gateway', `is starting on port ${port}`)
  const app = { name: 'gateway', program: programs.gateway, logDir, onPlace: () => onChange('gateway')() }
  const logFile = join(logDir, 'gateway.log')
  const logStart = await sizeOf(logFile)
  const gatewayEnv = {
    ...envOf(urls.gateway),
    ...webhookEnv,
    SEKALI_AUTH: auth,
    HOST: host,
    PORT: String(port),
    HEALTH_HOST: healthHost,
    HEALTH_PORT: String(healthPort),
  }
  const start = () => startApp({ ...app, env: gatewayEnv })
  const gateway = parts.use(await supervise({ start, onChange: onChange('gateway') }))
  const url = `http://${addressOf(host)}:${port}`
  const health = `http://${addressOf(healthHost)}:${healthPort}`
  await waitReady(url, logFile, signal, logStart)
  // Last of all: a key of a start that fails would be seen by nobody, and the next start would make none.
  const { makeKey = true, replaceFirstKey: replace = false } = options
  const firstKey =
    auth === 'keys' && makeKey ? await makeFirstKey(urls.owner, { replace, signal }) : undefined

  const running = (): RunFile => ({
    gateway: {
      pid: gateway.current()?.pid ?? null,
      url,
      health,
      metrics: gateway.current()?.metrics() ?? null,
    },
    consumers: consuming.members(),
    projectors: projecting.members(),
    dispatchers: dispatching.members(),
    redis: { pid: redis.pid(), url: redis.url },
    postgres: { pid: postgres.pid(), url: urls.owner },
  })
  runFile.show(running)
  const fleets = [consuming, projecting, dispatching]
  const apps = () => [{ name: 'gateway', health }, ...fleets.flatMap((fleet) => fleet.members())]
  await waitForHealth(apps, signal)
  signal?.throwIfAborted()
  parts.use(watchHealth(apps, onEvent))
  if (keyless !== undefined) {
    const env = { DATABASE_URL: urls.owner }
    parts.use(await upgradeKeysBeside({ logDir, env }, keyless, onEvent))
  }
  return stackOf({ url, dir, logDir, firstKey, running }, parts.move())
}

function stackOf(
  facts: Pick<Stack, 'url' | 'dir' | 'logDir' | 'firstKey' | 'running'>,
  parts: AsyncDisposableStack,
): Stack {
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= parts.disposeAsync()
    return stopped
  }
  return { ...facts, stop, [Symbol.asyncDispose]: stop }
}
