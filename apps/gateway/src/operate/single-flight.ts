/**
 * One reading at a time, for all who ask: whoever asks while one is under way shares the next one with all others who do.
 * So an answer is never older than its question, and a caller sees what it has just published itself; and however many
 * ask, and however often, the servers are read for a part of the time only, because after each reading there is a rest
 * that grows with what it took. Where a reading takes milliseconds, nobody notices.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** So many times as long as it took. */
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
