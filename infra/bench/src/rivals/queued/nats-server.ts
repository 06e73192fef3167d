import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { ServerFailed } from '@sekali/servers/errors'
import { freePort } from '@sekali/servers/free-port'
import { endSpawned, spawnLogged } from '@sekali/servers/spawned'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { asWeAre, tryUnprivileged, unprivilegedOwner, userOf } from '@sekali/servers/unprivileged'
import { waitUntil } from '@sekali/servers/wait-until'

const program = '/usr/sbin/nats-server'
const readyMs = 10_000
const stopMs = 10_000

/** Why there is none here; undefined if there is one. */
export const lacksNats = (): string | undefined =>
  existsSync(program) ? undefined : 'it needs nats-server (apt-get install nats-server)'

export interface NatsServer extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly pid: number
}

/**
 * Starts Debian's nats-server with JetStream in files. It answers once the page cache has what it writes, and syncs by the clock:
 * `sync_interval` came with 2.10. Listens on 127.0.0.1 only, with a token.
 */
export async function startNats(): Promise<NatsServer> {
  await using parts = new AsyncDisposableStack()
  const { path: dir } = parts.use(await temporaryFolder('sekali-nats-'))
  const [port, token] = [await freePort(), randomBytes(16).toString('hex')]
  const config = join(dir, 'nats.conf')
  await mkdir(join(dir, 'data'), { mode: 0o700 })
  await writeFile(config, configOf(join(dir, 'data'), port, token), { mode: 0o600 })
  const owner = unprivilegedOwner()
  if (owner !== undefined) {
    for (const path of [dir, config, join(dir, 'data')]) await chown(path, owner.uid, owner.gid)
  }
  const unprivileged = tryUnprivileged(program, dir) ?? asWeAre
  const { command, prefix } = unprivileged.command(program, 'TERM')
  const spawned = await spawnLogged({
    command,
    args: [...prefix, '--config', config],
    env: { PATH: process.env.PATH },
    logFile: join(dir, 'nats.log'),
    ...userOf(unprivileged),
  })
  parts.defer(() => endSpawned(spawned, 'SIGTERM', stopMs))
  if (!(await waitUntil(() => accepts(port), readyMs)) || spawned.ending() !== undefined) {
    throw new ServerFailed(`nats-server did not start (${spawned.ending() ?? 'it does not answer'})`)
  }
  const opened = parts.move()
  return {
    url: `nats://127.0.0.1:${port}`,
    token,
    pid: spawned.pid,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const configOf = (dataDir: string, port: number, token: string): string =>
  [
    `listen: "127.0.0.1:${port}"`,
    `authorization { token: "${token}" }`,
    `jetstream { store_dir: ${JSON.stringify(dataDir)} }`,
    '',
  ].join('\n')

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
