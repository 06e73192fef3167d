import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it, unless they are there. Step by step: Node's own recursive mkdir never returns from a
 * folder such as /proc, where none can be made. Rejects with the error of the folder that cannot be made.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const parent = dirname(path)
    // What is there need not let us make it: / is read-only, perhaps, or its parent another user's.
    const there = await stat(path).catch(() => undefined)
    if (there?.isDirectory()) return
    if (there !== undefined) throw Object.assign(error as Error, { code: 'ENOTDIR', path })
    if (code !== 'ENOENT' || (await isThere(parent))) throw error
    await makeFolder(parent, mode)
    await mkdir(path, { mode }).catch(async (again) => {
      if (!(await isThere(path))) throw again // somebody else may have made it meanwhile
    })
  }
}

const isThere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined
