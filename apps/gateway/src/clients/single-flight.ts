/**
 * One reading at a time, for all callers: those who call during a reading share the next one. So a result is never older
 * than its call, and a caller sees what it has just published itself. After each reading there is a rest that grows with
 * the time it took; so the servers are read for a part of the time only, however many call and however often. Where a
 * reading takes milliseconds, nobody notices the rest.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** How long a rest is, in times of the reading before it. */
const restFactor = 3
const restMsMax = 1_000

export function shareReadings<T>(read: () => Promise<T>, restMs = restMsMax): () => Promise<T> {
  let next: Promise<T> | undefined
  let current: Promise<unknown> = Promise.resolve()
  let restsUntil = 0

  async function begin(): Promise<T> {
    await current
    const leftMs = restsUntil - performance.now()
    if (leftMs > 0) await sleep(leftMs)
    next = undefined
    const startedAt = performance.now()
    const reading = read()
    current = reading
      .catch(() => undefined)
      .then(() => {
        const endedAt = performance.now()
        restsUntil = endedAt + Math.min(restFactor * (endedAt - startedAt), restMs)
      })
    return await reading
  }

  return () => (next ??= begin())
}
