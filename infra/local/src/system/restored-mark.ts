/**
 * A file in a data folder that says that a backup was restored there, until a start has begun a new epoch in each topic: its
 * Redis is new, so nobody else knows that the log may have been longer.
 */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../command/usage-error.ts'

const fileIn = (dir: string): string => join(dir, 'restored.json')

/** `facts` are for people who look at it. */
export const markRestored = (dir: string, facts: object): Promise<void> =>
  writeFile(fileIn(dir), `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 })

/**
 * Why a start has to begin new epochs, if so. `isSaid` is what whoever starts it says, as of a copy: that is marked, so that
 * it holds if this start fails. A mark without data is that of a restore that was killed before its end: it is cleared,
 * because the log that begins there now is none that was put back. Call it before PostgreSQL has its data folder.
 */
export async function whyRestored(dir: string, isSaid: boolean): Promise<string | undefined> {
  if (existsSync(join(dir, 'postgres', 'data', 'PG_VERSION'))) {
    if (existsSync(fileIn(dir))) return 'because a backup was restored here'
    if (!isSaid) return undefined
    await markRestored(dir, { saidAt: new Date().toISOString() })
    return 'because --restored says that this is an earlier state'
  }
  if (isSaid)
    throw new UsageError(`${dir} has no data: --restored is for a folder that was copied or put back.`)
  await clearMark(dir)
  return undefined
}

export const clearMark = (dir: string): Promise<void> => rm(fileIn(dir), { force: true })
