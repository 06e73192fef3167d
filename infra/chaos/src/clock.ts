import { setTimeout as sleep } from 'node:timers/promises'

/** Waits; ends early, and without an error, when `signal` is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(Math.max(0, ms), undefined, signal ? { signal } : {}).catch(() => undefined)

const stepMs = 50
const patienceMs = 60_000

/**
 * Asks until `done` says true; says whether that came within `deadlineMs`. What it throws means "not yet": it asks
 * systems that are being broken.
 */
export async function until(
  done: () => Promise<boolean> | boolean,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const endsAt = performance.now() + deadlineMs
  while (!signal?.aborted) {
    const is = await Promise.resolve()
      .then(done)
      .catch(() => false)
    if (is) return true
    if (performance.now() > endsAt) return false
    await pause(stepMs, signal)
  }
  return false
}

/**
 * Asks again, for up to a minute, when an answer does not come: what is looked at after the faults must not fail because
 * the machine is busy. Rejects with what came last.
 */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const endsAt = performance.now() + patienceMs; ; ) {
    try {
      return await ask()
    } catch (error) {
      if (performance.now() > endsAt) throw error
      await pause(10 * stepMs)
    }
  }
}
