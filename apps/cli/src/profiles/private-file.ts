/**
 * A file for its owner alone (mode 0600) that is replaced whole or not at all. It is written by another name beside it
 * first, so a reader never sees a half of it, and what it had before stays where anything fails.
 */
import { randomUUID } from 'node:crypto'
import { open, realpath, rename, rm } from 'node:fs/promises'

export interface PrivateFile extends AsyncDisposable {
  /** Once. Rejects with the system's error. */
  replace(text: string): Promise<void>
}

/** Rejects with the system's error where nothing can be written. */
export async function openPrivateFile(file: string): Promise<PrivateFile> {
  // A link stays one: the file that it leads to is written, beside itself.
  const real = await realpath(file).catch(() => file)
  const temporary = `${real}.${randomUUID()}`
  const handle = await open(temporary, 'wx', 0o600)
  return {
    async replace(text) {
      await handle.writeFile(text)
      await handle.sync()
      await rename(temporary, real)
    },
    async [Symbol.asyncDispose]() {
      await handle.close()
      await rm(temporary, { force: true }).catch(() => undefined) // the first error is the one to report
    },
  }
}
