import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from '@sekali/servers/free-port'
import { unprivilegedOwner } from '@sekali/servers/unprivileged'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { askPostgres } from '../../../../packages/servers/test/ask.ts'

export interface DebianPostgres extends AsyncDisposable {
  readonly port: number
  /** Of the superuser `postgres`, whom loopback lets in, as in PostgreSQL's image; of the database `postgres`. */
  readonly url: string
}

/** A PostgreSQL of Debian's with its own tools, which the embedded one has not, and an empty database `sekali`. */
export async function debianPostgres(dir: string): Promise<DebianPostgres> {
  await requireDebian('postgresql')
  const [version = ''] = readdirSync('/usr/lib/postgresql')
  const bin = join('/usr/lib/postgresql', version, 'bin')
  const owner = unprivilegedOwner()
  const asOwner = { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...owner }
  await mkdir(dir, { mode: 0o700 })
  if (owner !== undefined) await chown(dir, owner.uid, owner.gid)
  const initdb = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync']
  execFileSync(join(bin, 'initdb'), [`--pgdata=${dir}`, ...initdb], { ...asOwner, stdio: 'ignore' })
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`]
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', dir, ...settings.flatMap((setting) => ['-c', setting])],
    { ...asOwner, stdio: 'ignore' },
  )
  const exited = once(server, 'exit')
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await eventually(() => askPostgres(url, 'SELECT 1'))
  await askPostgres(url, 'CREATE DATABASE sekali')
  return {
    port,
    url,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGQUIT')
      await exited
    },
  }
}
