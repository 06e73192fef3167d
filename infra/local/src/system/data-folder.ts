import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '@sekali/process/make-folder'
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
