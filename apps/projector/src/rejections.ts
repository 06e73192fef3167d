import process from 'node:process'
import type { Logger } from '@sekali/process/log'

/** Said at most so often: a definition may do it at each event. */
const sayMs = 60_000

/**
 * Definitions run in this process, and what one starts and forgets (a timer, a promise in `apply`) may be rejected when
 * no turn can be blamed for it. By itself Node would end the process then, and all projections with it, again and
 * again. Nothing of ours is waited for by nobody, so it is a definition's: it is said, by the error's name alone, for
 * its message may hold a payload.
 */
export function surviveRejections(log: Logger): void {
  let saidAt = -Infinity
  process.on('unhandledRejection', (reason) => {
    if (performance.now() - saidAt < sayMs) return
    saidAt = performance.now()
    const error = reason instanceof Error ? reason.name.slice(0, 64) : typeof reason
    log.error(
      { error },
      'a definition left a promise that was rejected; key and apply must be pure and wait for nothing',
    )
  })
}
