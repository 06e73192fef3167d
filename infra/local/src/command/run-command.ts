import process from 'node:process'
import { SekaliError } from '@sekali/core/errors'
import { shutdownSignal } from '@sekali/process/shutdown'
import { narrate } from './narration.ts'

/** As a shell reports a program that Ctrl-C ended. */
export const interrupted = 130

/**
 * Runs a command of this workspace. Its status is what `main` returns; 1 for an error of ours, whose message has the remedy
 * and is shown without a stack trace; 130 when it was interrupted before it had done its work.
 */
export async function runCommand(main: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const signal = shutdownSignal()
  try {
    process.exitCode = await main(signal)
  } catch (error) {
    process.exitCode = signal.aborted ? interrupted : 1
    if (signal.aborted) narrate('everything', 'is stopped')
    else if (error instanceof SekaliError) process.stderr.write(`\n${error.message}\n`)
    else throw error
  }
  if (process.connected) process.disconnect() // the bootstrap's channel would keep us up
}
