import process from 'node:process'
import { InvalidConfig } from '@sekali/core/errors'
import { isBuilt } from '@sekali/core/place'
import { createLog } from './log.ts'

/** The package has no documents. */
const manual = isBuilt ? '' : ' (see docs/operating.md)'

/**
 * Runs a `main` and decides how its process ends: with 0 when it returns, 2 for invalid settings, 1 for any other error.
 * An error is one log line, without a stack trace.
 */
export async function run(name: string, main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    const log = createLog(name)
    if (error instanceof InvalidConfig) log.fatal(error.message + manual)
    else log.fatal({ err: error }, 'ended by an error')
    process.exitCode = error instanceof InvalidConfig ? 2 : 1
  }
  // What still holds the loop open after everything was closed is a leak; it must not keep a container up.
  if (process.connected) process.disconnect()
}
