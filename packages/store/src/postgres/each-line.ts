import { setImmediate as nextRound } from 'node:timers/promises'

/** Milliseconds of it in a pass of the event loop. */
const workMs = 1

/**
 * Gives each line of bundles to `onLine`, and lets others have their turn in between. A row of PostgreSQL's that holds
 * hundreds of lines is little work for pg; thousands of rows it reads in one pass, however long that takes.
 */
export async function eachLine(bundles: readonly string[], onLine: (line: string) => void): Promise<void> {
  let since = performance.now()
  for (const lines of bundles) {
    for (const line of lines.split('\n')) onLine(line)
    if (performance.now() - since < workMs) continue
    await nextRound()
    since = performance.now()
  }
}
