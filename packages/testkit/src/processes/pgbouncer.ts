import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from '@sekali/servers/free-port'
import { eventually } from '../eventually.ts'
import { ownFolder } from '../servers.ts'

export interface PgBouncer extends AsyncDisposable {
  /** As the URL that it was given, with its own port. */
  readonly url: string
  /** kill -9 of the process, and another one on the same port. */
  restart(): Promise<void>
  /** From now on it leads to another server: connections of clients stay, and their next transaction is over there. */
  moveTo(postgresUrl: string): Promise<void>
}

interface PgBouncerOptions {
  /** `session`, `transaction` or `statement`. */
  readonly mode: string
  /** Lines of its settings. */
  readonly settings?: readonly string[]
}

/** A PgBouncer in front of a server, with the user of the URL. Needs Debian's package: see {@link requireDebian}. */
export async function ownPgBouncer(
  postgresUrl: string,
  { mode, settings = [] }: PgBouncerOptions,
): Promise<PgBouncer> {
  const { username, password } = new URL(postgresUrl)
  const folder = await ownFolder()
  const port = await freePort()
  const users = join(folder.path, 'users.txt')
  const file = join(folder.path, 'pgbouncer.ini')
  const write = (url: string) => {
    const server = new URL(url)
    const lines = [
      '[databases]',
      `* = host=${server.hostname} port=${server.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${users}`,
      `pool_mode = ${mode}`,
      ...settings,
    ]
    return writeFile(file, `${lines.join('\n')}\n`)
  }
  await writeFile(users, `"${username}" "${decodeURIComponent(password)}"\n`)
  await write(postgresUrl)
  // It does not run as root.
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (const path of [folder.path, users, file]) await chmod(path, 0o755)
  const start = async () => {
    const child = spawn('pgbouncer', [...(isRoot ? ['-u', 'nobody'] : []), file], { stdio: 'ignore' })
    await eventually(() => connects(port))
    return child
  }
  const stop = async (child: ChildProcess) => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  let child = await start()
  return {
    url: Object.assign(new URL(postgresUrl), { port: String(port) }).href,
    restart: async () => {
      await stop(child)
      child = await start()
    },
    moveTo: async (url) => {
      await write(url)
      child.kill('SIGHUP') // reads its settings again, and leaves the old server once a transaction is over
    },
    [Symbol.asyncDispose]: async () => {
      await stop(child)
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function connects(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
