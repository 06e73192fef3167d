/** A Redis with two replicas, and three Sentinels that watch them, all with short times. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { type Broker, connectBroker, untilConnected } from '@sekali/broker/connect'
import { freePort } from '@sekali/servers/free-port'
import { lastLines, readTail } from '@sekali/servers/log-tail'
import { findRedisBinary } from '@sekali/servers/redis-binary.mjs'
import { startRedis } from '@sekali/servers/redis-server'
import type { Server } from '@sekali/servers/server'
import { endSpawned, type Spawned, spawnLogged } from '@sekali/servers/spawned'
import { waitUntil } from '@sekali/servers/wait-until'
import { eventually } from '../eventually.ts'
import { quiet } from '../quiet.ts'
import { ownFolder } from '../servers.ts'

export interface OwnSentinels extends AsyncDisposable {
  /** For REDIS_URL. */
  readonly url: string
  /** The primary at the start, and its replicas. */
  readonly redises: readonly [Server, Server, Server]
  /** Of each Sentinel. */
  readonly ports: readonly number[]
  readonly signalSentinels: (name: NodeJS.Signals) => void
  /** The port of the primary, as most of the Sentinels have it. */
  readonly primaryPort: () => Promise<number>
  /** `host:port` of the primary, as each Sentinel has it in its file: that can be read while it is cut off. */
  readonly written: () => Promise<readonly string[]>
  /** Cuts the first Redis off from its replicas and the Sentinels; whoever else is connected to it stays so. */
  readonly cutPrimary: () => Promise<void>
  /** Cuts the Sentinels off from whoever asks them with the URL. */
  readonly cutSentinels: () => Promise<void>
  /** Mends both. Some ten seconds later the Sentinels have the first Redis follow the new primary. */
  readonly heal: () => Promise<void>
  /** `master` or `slave`. */
  readonly roleOfFirst: () => Promise<string>
}

const name = 'main'
const secret = 'secret'
/** The users as whom the servers see each other, and Sekali sees the Sentinels: what is cut off is a user that is. */
const users = ['replica', 'watcher'] as const
const everything = ['on', `>${secret}`, '~*', '&*', '+@all']

export interface SentinelsOptions {
  readonly downMs?: number
  /** Addresses of the first Redis, of both replicas and of the Sentinels: a network can be cut between them. */
  readonly hosts?: readonly [first: string, replicas: readonly [string, string], sentinels: string]
}

const here = '127.0.0.1'
/** Until a Sentinel answers, and until each knows the others: they say every two seconds that they are there. */
const upMs = 10_000
const knownMs = 30_000
const triesMax = 5

export async function ownSentinels(options: SentinelsOptions = {}): Promise<OwnSentinels> {
  const [firstHost, replicaHosts, sentinelHost] = options.hosts ?? [here, [here, here], here]
  const folder = await ownFolder()
  const first = await startNode(join(folder.path, 'redis-0'), firstHost)
  const primary = { host: firstHost, port: first.port }
  const rest = await Promise.all(
    replicaHosts.map((host, index) => startNode(join(folder.path, `redis-${index + 1}`), host, primary)),
  )
  const redises = [first, ...rest] as unknown as OwnSentinels['redises']
  await eventually(async () => {
    const info = String(await commandOf(first.url, 'INFO', 'replication'))
    if (info.match(/state=online/g)?.length !== rest.length) throw new Error('a replica is missing')
  })
  const sentinels = await Promise.all(
    ['sentinel-0', 'sentinel-1', 'sentinel-2'].map((one) =>
      startSentinel(join(folder.path, one), sentinelHost, primary, options.downMs ?? 1_000),
    ),
  )
  const ports = sentinels.map(({ port }) => port)
  const places = ports.map((port) => `${sentinelHost}:${port}`)
  await eventually(() => Promise.all(places.map(requireAll)), knownMs)

  const onFirst = (...command: string[]) => commandOf(first.url, ...command)
  const onSentinels = (...command: string[]) =>
    Promise.all(places.map((place) => commandOf(`redis://${place}`, ...command)))
  return {
    url:
      `redis+sentinel://default:${secret}@${places.join(',')}/${name}` +
      `?sentinel_user=client&sentinel_password=${secret}`,
    redises,
    ports,
    signalSentinels: (signal) => {
      for (const { spawned } of sentinels) spawned.child.kill(signal)
    },
    primaryPort: async () => {
      const answers = await onSentinels('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
      const named = answers.map((answer) => Number((answer as string[])[1]))
      return named.toSorted((a, b) => a - b)[1] as number // two of three agree on the one in the middle
    },
    written: () => Promise.all(sentinels.map(({ file }) => primaryIn(file))),
    cutPrimary: async () => {
      for (const user of users) {
        await onFirst('ACL', 'SETUSER', user, 'off')
        await onFirst('CLIENT', 'KILL', 'USER', user)
      }
    },
    cutSentinels: async () => {
      await onSentinels('ACL', 'SETUSER', 'client', 'off')
      await onSentinels('CLIENT', 'KILL', 'USER', 'client')
    },
    heal: async () => {
      for (const user of users) await onFirst('ACL', 'SETUSER', user, 'on')
      await onSentinels('ACL', 'SETUSER', 'client', 'on')
    },
    roleOfFirst: async () => String(((await onFirst('ROLE')) as unknown[])[0]),
    [Symbol.asyncDispose]: async () => {
      for (const { spawned } of sentinels) await endSpawned(spawned, 'SIGKILL', 0)
      for (const redis of redises) {
        redis.kill('SIGKILL') // one that writes its first file would not end
        await redis.exited
      }
      await folder[Symbol.asyncDispose]()
    },
  }
}

interface Place {
  readonly host: string
  readonly port: number
}

async function startNode(dir: string, host: string, primary?: Place): Promise<Server> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'password'), secret)
  const args = [
    ...users.flatMap((user) => ['--user', user, ...everything]),
    ...['--masteruser', 'replica', '--masterauth', secret],
    ...['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0'],
    // By where it comes from, a replica is known.
    ...['--bind-source-addr', host],
    ...(primary === undefined ? [] : ['--replicaof', primary.host, String(primary.port)]),
  ]
  return await startRedis({ dir, host, args })
}

interface Sentinel {
  readonly port: number
  /** Its settings, which it writes anew when it learns of another primary. */
  readonly file: string
  readonly spawned: Spawned
}

async function startSentinel(dir: string, host: string, primary: Place, downMs: number): Promise<Sentinel> {
  await mkdir(dir)
  const file = join(dir, 'sentinel.conf')
  const logFile = join(dir, 'sentinel.log')
  const command = findRedisBinary().path ?? 'redis-server'
  for (let tries = 1; ; tries += 1) {
    const port = await freePort()
    await writeFile(file, configOf(dir, { host, port }, primary, downMs))
    const spawned = await spawnLogged({ command, args: [file, '--sentinel'], env: process.env, logFile })
    const isUp = () =>
      commandOf(`redis://${host}:${port}`, 'PING').then(
        () => true,
        () => false,
      )
    await waitUntil(async () => spawned.ending() !== undefined || (await isUp()), upMs)
    if (spawned.ending() === undefined && (await isUp())) return { port, file, spawned }
    await endSpawned(spawned, 'SIGKILL', 0)
    // Between asking for a free port and listening on it somebody else may have taken it.
    if (tries === triesMax) throw new Error(`no Sentinel: ${lastLines(await readTail(logFile, 0))}`)
  }
}

const configOf = (dir: string, own: Place, primary: Place, downMs: number): string =>
  [
    `bind ${own.host}`,
    `bind-source-addr ${own.host}`,
    `port ${own.port}`,
    `dir ${dir}`,
    `user client ${everything.join(' ')}`,
    `sentinel monitor ${name} ${primary.host} ${primary.port} 2`,
    `sentinel auth-user ${name} watcher`,
    `sentinel auth-pass ${name} ${secret}`,
    `sentinel down-after-milliseconds ${name} ${downMs}`,
    `sentinel failover-timeout ${name} 4000`,
    `sentinel parallel-syncs ${name} 2`,
  ].join('\n')

async function primaryIn(file: string): Promise<string> {
  const [, host, port] = /^sentinel monitor \S+ (\S+) (\d+)/m.exec(await readFile(file, 'utf8')) ?? []
  return `${host}:${port}`
}

/** Throws unless a Sentinel knows the others and both replicas. */
async function requireAll(place: string): Promise<void> {
  const known = (await commandOf(`redis://${place}`, 'SENTINEL', 'MASTER', name)) as string[]
  for (const field of ['num-slaves', 'num-other-sentinels']) {
    if (known[known.indexOf(field) + 1] !== '2') throw new Error(`${field} is not 2`)
  }
}

/** Asks a server, on a connection of its own. */
async function commandOf(url: string, ...[command = '', ...args]: string[]): Promise<unknown> {
  await using broker: Broker = connectBroker({ url, prefix: 'test', name: 'test', callMs: 5_000 }, quiet)
  await untilConnected(broker, 5_000)
  return await broker.redis.call(command, ...args)
}
