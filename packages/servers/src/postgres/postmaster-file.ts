import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface PostmasterFile {
  readonly pid: number
  readonly ready: boolean
}

/**
 * What `postmaster.pid` of a data directory says, as pg_ctl reads it: the process id in line 1, and in line 8
 * whether the server takes connections. It stays behind after kill -9.
 */
export async function readPostmasterFile(dataDir: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.split('\n')
  return { pid: Number(lines[0]), ready: lines[7]?.trim() === 'ready' }
}
