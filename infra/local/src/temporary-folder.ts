import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

/** A folder that is gone with its scope, and with the process. What its name begins with says whose it is. */
export async function temporaryFolder(prefix: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  await chmod(path, 0o711) // PostgreSQL runs as another user when root runs this; what is inside is closed
  const removeNow = () => rmSync(path, { recursive: true, force: true })
  process.once('exit', removeNow) // a forced end
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      process.off('exit', removeNow)
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
