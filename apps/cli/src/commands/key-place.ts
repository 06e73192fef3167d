/**
 * Where the text of a new key, or of a webhook's secret, goes: to the file that --out names, or alone to standard output. It is
 * opened before that is made, so that a place which cannot be written is found while there is no key that nobody has.
 */
import { fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import process from 'node:process'
import { UsageError } from '../exit.ts'
import { openPrivateFile } from '../profiles/private-file.ts'
import type { Output } from '../terminal/output.ts'
import { OutputFailed } from '../terminal/output.ts'

export interface KeyPlace extends AsyncDisposable {
  /** Takes the key, and says where it is; `undo` is what to type if nobody has got it. Rejects with `OutputFailed`. */
  take(key: string | undefined, undo: string): Promise<string>
  /** Whether an answer for programs must have the key, because nothing else gets it. */
  readonly isOutput: boolean
}

/**
 * A file that has something is left as it is unless it may be replaced: it may be the only copy of another secret. Throws
 * UsageError for that, and for a file that cannot be written.
 */
export const openKeyPlace = async (
  file: string | undefined,
  out: Output,
  noun: 'key' | 'secret' = 'key',
  mayReplace = false,
): Promise<KeyPlace> => (file === undefined ? standardOutput(out) : await privateFile(file, noun, mayReplace))

const standardOutput = (out: Output): KeyPlace => ({
  isOutput: true,
  async take(key) {
    await out.line(key)
    const advice = 'others can read the file that it went to: chmod 600 it, and use --out next time'
    return `it is shown this once${isOpenFile() ? `\n${advice}` : ''}`
  },
  async [Symbol.asyncDispose]() {},
})

async function privateFile(file: string, noun: string, mayReplace: boolean): Promise<KeyPlace> {
  const there = await stat(file).catch(() => undefined)
  if (there !== undefined && !there.isFile())
    throw new UsageError(`--out ${file} is no file: without --out a ${noun} goes to standard output`)
  if (there !== undefined && there.size > 0 && !mayReplace)
    throw new UsageError(
      `--out ${file} is there, and what it has may be nowhere else: name another file, or remove it; no ${noun} is made`,
    )
  const opened = await openPrivateFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot write ${file} (${error.code}): no ${noun} is made`)
  })
  return {
    isOutput: false,
    async take(key, undo) {
      await opened.replace(`${key}\n`).catch((cause: NodeJS.ErrnoException) => {
        const words = `${file} could not be written (${cause.code}), so nobody has the ${noun}`
        throw new OutputFailed(`${words}: ${undo}`, { cause })
      })
      return `${file} has it, and nothing else does`
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

function isOpenFile(): boolean {
  try {
    const stat = fstatSync(process.stdout.fd)
    return stat.isFile() && (stat.mode & 0o077) !== 0
  } catch {
    return false // not something that has a mode
  }
}
