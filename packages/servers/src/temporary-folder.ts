import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

const open = new Set<string>()
process.once('exit', () => {
  for (const path of open) rmSync(path, { recursive: true, force: true }) // a forced end
})

/** A folder that is removed with its scope, or with the process. Its name begins with `prefix`, to show whose it is. */
export async function temporaryFolder(
  prefix: string,
  mode = 0o711, // PostgreSQL runs as another user when root runs this; what is inside is closed
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  await chmod(path, mode)
  open.add(path)
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      open.delete(path)
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
