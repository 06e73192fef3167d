import process from 'node:process'
import { SekaliError } from '@sekali/core/errors'
import { shutdownSignal } from '@sekali/process/shutdown'
import { narrate } from './narration.ts'

/** As a shell reports a program that Ctrl-C ended. */
export const interrupted = 130

/**
 * Runs a command of this room. Its status is what `main` returns; 1, with the remedy and no stack trace,
 * for what we know can go wrong; 130 when it was interrupted before it had done its work.
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
