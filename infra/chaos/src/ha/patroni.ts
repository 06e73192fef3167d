/**
 * A PostgreSQL that fails over by itself: Debian's Patroni on two nodes, which agree in etcd, and HAProxy in front of them,
 * which asks Patroni who is the primary.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { unprivilegedOwner } from '@sekali/servers/unprivileged'
import { connectStore } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { quiet } from '@sekali/testkit/quiet'
import { until } from '../clock.ts'
import { startHaProxy } from './haproxy.ts'

export const patroniPackages = ['patroni', 'etcd-server', 'postgresql-15']

export interface Patroni extends AsyncDisposable {
  /** Through HAProxy, of a database with the schema. */
  readonly url: string
  /** Makes the other node the primary, in good order. Resolves once it is. */
  switchOver(): Promise<void>
  /** kill -9 of the primary and of its Patroni. Resolves once the other node is the primary. */
  killPrimary(): Promise<void>
}

interface Node {
  readonly name: string
  readonly dir: string
  readonly api: number
  readonly port: number
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

const secret = 'secret'
const startMs = 90_000
const bin = '/usr/lib/postgresql/15/bin'

export async function startPatroni(): Promise<Patroni> {
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(await temporaryFolder('sekali-patroni-'))
  const owner = unprivilegedOwner() ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  await chown(folder.path, owner.uid, owner.gid)
  const etcd = await startEtcd(parts, folder.path, owner)
  const one = await nodeOf(folder.path, 'one', owner)
  const two = await nodeOf(folder.path, 'two', owner)
  const first = await startNode(parts, one, etcd, owner)
  await mustBecome(one, 'primary')
  const second = await startNode(parts, two, etcd, owner)
  await mustBecome(two, 'replica')
  const edge = parts.use(
    await startHaProxy(folder.path, 'postgres', [
      'mode tcp',
      'option httpchk GET /primary',
      'http-check expect status 200',
      ...[one, two].map(
        ({ name, port, api }) =>
          `server ${name} 127.0.0.1:${port} check port ${api} on-marked-down shutdown-sessions`,
      ),
    ]),
  )
  const url = `postgres://sekali:${secret}@127.0.0.1:${edge.port}/sekali`
  await makeDatabase(url)
  const owned = parts.move()
  return {
    url,
    switchOver: async () => {
      const words = JSON.stringify({ leader: one.name, candidate: two.name })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`http://127.0.0.1:${one.api}/switchover`, {
        ...{ method: 'POST', headers, body: words },
      })
      if (!answer.ok) throw new Error(`Patroni refuses to switch over: ${await answer.text()}`)
      await mustBecome(two, 'primary')
    },
    killPrimary: async () => {
      first.kill('SIGKILL')
      const [pid] = (await readFile(join(one.dir, 'data', 'postmaster.pid'), 'utf8')).split('\n')
      process.kill(Number(pid), 'SIGKILL')
      await mustBecome(two, 'primary')
    },
    [Symbol.asyncDispose]: async () => {
      // Patroni stops its PostgreSQL when it is asked to end, and not when it is killed.
      for (const patroni of [second, first]) {
        patroni.kill('SIGTERM')
        if (patroni.exitCode === null && patroni.signalCode === null) await once(patroni, 'exit')
      }
      await owned.disposeAsync()
    },
  }
}

async function nodeOf(folder: string, name: string, owner: Owner): Promise<Node> {
  const dir = join(folder, name)
  await mkdir(dir, { mode: 0o700 })
  await chown(dir, owner.uid, owner.gid)
  return { name, dir, api: await freePort(), port: await freePort() }
}

function launch(
  parts: AsyncDisposableStack,
  command: string,
  args: readonly string[],
  owner: Owner,
): ChildProcess {
  const child = spawn(command, args, { ...owner, cwd: '/', stdio: 'ignore' })
  const exited = once(child, 'exit')
  parts.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return child
}

/** Resolves with where clients find it. */
async function startEtcd(parts: AsyncDisposableStack, folder: string, owner: Owner): Promise<string> {
  const [clients, peers] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`)
  const options = {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
  }
  launch(
    parts,
    'etcd',
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    owner,
  )
  const isUp = async () => (await fetch(`${clients}/health`)).ok
  if (!(await until(isUp, startMs))) throw new Error('etcd did not come up')
  return new URL(String(clients)).host
}

async function startNode(
  parts: AsyncDisposableStack,
  node: Node,
  etcd: string,
  owner: Owner,
): Promise<ChildProcess> {
  const file = join(node.dir, 'patroni.yml')
  await writeFile(file, settingsOf(node, etcd))
  await chown(file, owner.uid, owner.gid)
  return launch(parts, 'patroni', [file], owner)
}

/** JSON is YAML. */
function settingsOf({ name, dir, api, port }: Node, etcd: string): string {
  const user = (username: string) => ({ username, password: secret })
  return JSON.stringify({
    scope: 'sekali',
    name,
    restapi: { listen: `127.0.0.1:${api}`, connect_address: `127.0.0.1:${api}` },
    etcd3: { host: etcd },
    bootstrap: {
      // As short as Patroni lets them be: a node that is gone is given up after 20 s.
      dcs: { ttl: 20, loop_wait: 2, retry_timeout: 3, postgresql: { use_pg_rewind: true } },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }],
    },
    postgresql: {
      listen: `127.0.0.1:${port}`,
      connect_address: `127.0.0.1:${port}`,
      data_dir: join(dir, 'data'),
      bin_dir: bin,
      pgpass: join(dir, 'pgpass'),
      authentication: { superuser: user('sekali'), replication: user('replica') },
      parameters: { unix_socket_directories: '', max_connections: 100 },
      pg_hba: ['host all all 127.0.0.1/32 scram-sha-256', 'host replication all 127.0.0.1/32 scram-sha-256'],
    },
  })
}

async function mustBecome({ name, api }: Node, role: 'primary' | 'replica'): Promise<void> {
  const isIt = async () => (await fetch(`http://127.0.0.1:${api}/${role}`)).status === 200
  if (!(await until(isIt, startMs))) throw new Error(`Patroni's node ${name} did not become the ${role}`)
}

async function makeDatabase(url: string): Promise<void> {
  const server = new URL(url)
  server.pathname = '/postgres'
  if (!(await until(() => leadsToPrimary(server.href), startMs))) throw new Error('no primary behind HAProxy')
  await using store = connectStore({ url: server.href, poolMax: 1, name: 'chaos', connectMs: 15_000 }, quiet)
  const isMade = async () => {
    await store.pool.query('CREATE DATABASE sekali')
    return true
  }
  if (!(await until(isMade, startMs))) throw new Error('no PostgreSQL behind HAProxy')
  await migrate(url)
}

const connectionsInTurn = 4

/** HAProxy takes a server for good until it has checked it, and goes to one after the other. */
async function leadsToPrimary(url: string): Promise<boolean> {
  for (let connection = 0; connection < connectionsInTurn; connection++) {
    await using store = connectStore({ url, poolMax: 1, name: 'chaos', connectMs: 15_000 }, quiet)
    const { rows } = await store.pool.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby')
    if (rows[0]?.standby) return false
  }
  return true
}
