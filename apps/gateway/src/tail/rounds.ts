import { setImmediate as nextRound } from 'node:timers/promises'

/** Resolves when it is one's turn to work for a moment, without waiting for anything else. */
export type Rounds = () => Promise<void>

/**
 * Lets many work one after the other, and after `workMs` of that everybody else: a thousand feeds that one event
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
