import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { reasonOf } from '../../set-up/file-trouble.mjs'
import { startCommand } from '../command/repository.ts'
import { UsageError } from '../command/usage-error.ts'

// What another folder cures. A full disk may be cured otherwise.
const ofThisFolder = /^E(ACCES|LOOP|NAMETOOLONG|NOENT|NOTDIR|PERM|ROFS)$/

/** Makes a data folder and `logs` in it, unless they are there. Throws {@link UsageError} if it cannot be one. */
export async function makeDataFolder(dir: string): Promise<void> {
  let path = dir
  let what = 'be made'
  try {
    await makeFolder(dir)
    for (path of [dir, join(dir, 'logs')]) {
      what = 'be made'
      await makeFolder(path)
      what = 'be written to'
      await access(path, constants.W_OK | constants.X_OK)
    }
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === undefined || !ofThisFolder.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new UsageError(
      `${path} cannot ${what}: ${reason}. Choose another folder: ${startCommand} --data FOLDER`,
      { cause: error },
    )
  }
}

/** Step by step: Node's own recursive mkdir never returns from a folder such as /proc, where none can be made. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const parent = dirname(path)
    // What is there need not let us make it: / is read-only, perhaps, or its parent another user's.
    const there = await stat(path).catch(() => undefined)
    if (there?.isDirectory()) return
    if (there !== undefined) throw Object.assign(error as Error, { code: 'ENOTDIR', path })
    if (code !== 'ENOENT' || (await isThere(parent))) throw error
    await makeFolder(parent)
    await mkdir(path).catch(async (again) => {
      if (!(await isThere(path))) throw again // somebody else may have made it meanwhile
    })
  }
}

const isThere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined
