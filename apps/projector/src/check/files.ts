import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isSource } from '../definitions/definitions.ts'
import type { Finding } from './finding.ts'

/** The files that are named, and those that a projector would read in the folders that are named. */
export async function filesOf(
  paths: readonly string[],
): Promise<{ readonly files: readonly string[]; readonly problems: readonly Finding[] }> {
  const files = new Set<string>()
  const problems: Finding[] = []
  const refuse = (file: string, message: string) => problems.push({ found: 'problem', file, message })
  for (const path of paths) {
    try {
      const isFolder = (await stat(path)).isDirectory()
      const found = isFolder
        ? (await readdir(path))
            .filter(isSource)
            .sort()
            .map((name) => join(path, name))
        : [path]
      for (const file of found) {
        if (isSource(file)) files.add(file)
        else
          refuse(file, 'a projector reads files that end in .ts, .js, .mts, .mjs, .cts or .cjs, and no tests')
      }
      if (found.length === 0) refuse(path, 'the folder has no file of definitions')
    } catch (error) {
      refuse(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
  }
  return { files: [...files], problems }
}
