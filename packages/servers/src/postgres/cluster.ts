import { spawn } from 'node:child_process'
import { chown, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { ServerFailed } from '../errors.ts'
import { lastLines } from '../process/log-tail.ts'
import { type Unprivileged, userOf } from '../process/unprivileged.ts'
import type { PostgresBinaries } from './binaries.ts'

/** The role that owns everything; its password is the content of `passwordFile`. */
export const superuser = 'sekali'

/**
 * Makes the data directory `dir/data` unless it is there. It is made under another name and renamed when it
 * is whole, so that a kill in the middle does not leave half a cluster that no later start can use.
 */
export async function ensureCluster(
  dir: string,
  binaries: PostgresBinaries,
  passwordFile: string,
  unprivileged: Unprivileged,
): Promise<void> {
  const { owner } = unprivileged
  if (owner !== undefined) {
    await chown(dir, owner.uid, owner.gid)
    await chown(passwordFile, owner.uid, owner.gid)
  }
  const whole = await readFile(join(dir, 'data', 'PG_VERSION'), 'utf8').catch(() => undefined)
  if (whole !== undefined) return
  const unfinished = join(dir, 'data.new')
  await rm(unfinished, { recursive: true, force: true })
  await runInitdb(unfinished, binaries, passwordFile, unprivileged)
  await rename(unfinished, join(dir, 'data'))
}

async function runInitdb(
  dataDir: string,
  binaries: PostgresBinaries,
  passwordFile: string,
  unprivileged: Unprivileged,
): Promise<void> {
  const { command, prefix } = unprivileged.command(binaries.initdb)
  const args = [
    `--pgdata=${dataDir}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ]
  const child = spawn(command, [...prefix, ...args], {
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...userOf(unprivileged),
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [code, said, complained] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  if (code === 0) return
  throw new ServerFailed(`initdb could not make ${dataDir}. Its last words:\n${lastLines(said + complained)}`)
}
