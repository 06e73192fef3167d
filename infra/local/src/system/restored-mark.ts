/**
 * A file in a data folder that says that a backup was restored there, until a start has begun a new epoch in each topic: its
 * Redis is new, so nobody else knows that the log may have been longer.
 */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const fileIn = (dir: string): string => join(dir, 'restored.json')

/** `facts` are for people who look at it. */
export const markRestored = (dir: string, facts: object): Promise<void> =>
  writeFile(fileIn(dir), `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 })

export const isMarkedRestored = (dir: string): boolean => existsSync(fileIn(dir))

export const clearMark = (dir: string): Promise<void> => rm(fileIn(dir), { force: true })
