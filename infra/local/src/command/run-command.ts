import process from 'node:process'
import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { shutdownSignal } from '@sekali/process/shutdown'
import { usageStatus } from '@sekali/process/usage'
import { fileTrouble } from '../../set-up/file-trouble.mjs'
import { narrate } from './narration.ts'
import { UsageError } from './usage-error.ts'

/** As a shell reports a program that Ctrl-C ended. */
export const interrupted = 130

/**
 * Runs a command of this workspace. Its status is what `main` returns; 2 for options and settings that make no sense; 1 for
 * another error of ours, and for a file that the system refuses: the message has the remedy and is shown without a stack
 * trace; 130 when it was interrupted before it had done its work.
 */
export async function runCommand(main: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const signal = shutdownSignal()
  try {
    process.exitCode = await main(signal)
  } catch (thrown) {
    const error = causeOf(thrown)
    const words = error instanceof SekaliError ? error.message : fileTrouble(error)
    process.exitCode = signal.aborted ? interrupted : statusOf(error)
    if (signal.aborted) narrate('everything', 'is stopped')
    else if (words !== undefined) process.stderr.write(`\n${words}\n`)
    else throw error
  }
  if (process.connected) process.disconnect() // the bootstrap's channel would keep us up
}

const statusOf = (error: unknown): number =>
  error instanceof UsageError || error instanceof InvalidConfig ? usageStatus : 1

/** What went wrong first: what failed while it was being tidied up comes of that. */
function causeOf(error: unknown): unknown {
  return error instanceof SuppressedError ? causeOf(error.suppressed) : error
}
