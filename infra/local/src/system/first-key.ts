import { execFile } from 'node:child_process'
import process from 'node:process'
import { ServerFailed } from '@sekali/servers/errors'
import { asWeAre, tryUnprivileged, userOf } from '@sekali/servers/unprivileged'
import { programs, repositoryRoot } from '../command/repository.ts'
import { visibleTo } from './settings.ts'

const oneShotMs = 30_000

/**
 * Makes the key that may do everything, if there is none, and resolves with it. With `replace` it revokes those that there
 * are, and makes one. The key comes through a pipe: no file, no log and no command line ever has it.
 */
export async function makeFirstKey(
  ownerUrl: string,
  { replace, signal }: { readonly replace: boolean; readonly signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  const unprivileged = tryUnprivileged(process.execPath, repositoryRoot) ?? asWeAre
  const { command, prefix } = unprivileged.command(process.execPath)
  const args = [...prefix, programs.firstKey, replace ? '--replace' : '--if-none']
  const env = { ...visibleTo(process.env), DATABASE_URL: ownerUrl }
  const key = await new Promise<string>((resolve, reject) => {
    const limits = { timeout: oneShotMs, ...(signal && { signal }) }
    execFile(
      command,
      args,
      { env, cwd: '/', ...limits, ...userOf(unprivileged) },
      (error, stdout, stderr) => {
        // The error's own message has the command line, and so nothing of use.
        if (error !== null)
          reject(new ServerFailed(`The first key could not be made: ${stderr.trim() || error.code}`))
        else resolve(stdout.trim())
      },
    )
  }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw error
  })
  return key === '' ? undefined : key
}
