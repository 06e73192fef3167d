import { setImmediate as nextRound } from 'node:timers/promises'

/** Resolves when the caller may work for a moment. It waits for other callers only. */
export type Rounds = () => Promise<void>

/**
 * Lets many callers work one after the other, and after `workMs` of that everything else: a thousand feeds that one event
 * concerns would keep the event loop for a second.
 */
export function createRounds(workMs = 5): Rounds {
  let last = Promise.resolve()
  let since = 0
  const next = async () => {
    if (performance.now() - since < workMs) return
    await nextRound()
    since = performance.now()
  }
  return () => {
    last = last.then(next)
    return last
  }
}

/** The same work, but a call while it runs does nothing. */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let isRunning = false
  return async () => {
    if (isRunning) return
    isRunning = true
    await work().finally(() => {
      isRunning = false
    })
  }
}
