// One stack at a time on a data directory. The lock is a file that names its holder by process id and start
// time: a holder that was killed is recognized even when its id is in use again. The file appears complete or
// not at all (link). A stale lock is replaced under a second lock, which is held for a moment only; its holder
// checks again that the first lock is still the stale one. (Without the second lock, of 20 processes that found
// a stale lock at the same time, three took the directory.)
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { DataInUse } from '@sekali/servers/errors'
import { startOf } from '@sekali/servers/process-info'
import { startCommand } from '../command/repository.ts'
import type { RunFile } from './run-file.ts'

export interface DataLock extends AsyncDisposable {
  /** Whether the last holder was killed, and so may have left something running. */
  readonly wasStale: boolean
}

const triesMax = 100
const pauseMs = 20

/** Takes the directory, which must exist. Throws {@link DataInUse} when a live process holds it. */
export async function lockData(dir: string): Promise<DataLock> {
  const lockFile = join(dir, 'lock')
  const mine = `${process.pid} ${await startOf(process.pid)} ${randomUUID()}\n`
  const draft = `${lockFile}.${randomUUID()}`
  const held = (wasStale: boolean): DataLock => ({
    wasStale,
    [Symbol.asyncDispose]: () => unlock(lockFile, mine),
  })
  await writeFile(draft, mine, { mode: 0o600 })
  try {
    for (let tries = 1; tries <= triesMax; tries += 1) {
      if (await linked(draft, lockFile)) return held(false)
      const found = await read(lockFile)
      if (found === undefined) continue // just given back
      if (await isHeld(found)) break
      if (await replaced(lockFile, found, draft)) return held(true)
      await pause(pauseMs)
    }
  } finally {
    await rm(draft, { force: true })
  }
  const holder = (await read(lockFile))?.split(' ')[0]
  throw new DataInUse(
    `the data directory ${dir} is in use by process ${holder}${await addressIn(dir)}. ` +
      `Stop that one with: kill ${holder}\nOr choose another folder: ${startCommand} --data FOLDER`,
  )
}

/** Where the holder answers, once it has said so. */
async function addressIn(dir: string): Promise<string> {
  try {
    const { gateway } = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as RunFile
    return `, which answers on ${gateway.url}`
  } catch {
    return '' // it is starting or stopping, or the file is another user's
  }
}

async function replaced(lockFile: string, stale: string, draft: string): Promise<boolean> {
  const guard = `${lockFile}.takeover`
  if (!(await linked(draft, guard))) {
    const busy = await read(guard)
    if (busy !== undefined && !(await isHeld(busy))) await rm(guard, { force: true })
    return false
  }
  try {
    if ((await read(lockFile)) !== stale) return false // somebody was faster
    await rename(draft, lockFile)
    return true
  } finally {
    await rm(guard, { force: true })
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function isHeld(content: string): Promise<boolean> {
  const [pid, ...start] = content.trim().split(' ').slice(0, -1)
  return (await startOf(Number(pid))) === start.join(' ')
}

async function unlock(lockFile: string, mine: string): Promise<void> {
  if ((await read(lockFile)) === mine) await rm(lockFile, { force: true })
}

async function read(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(() => undefined)
}
