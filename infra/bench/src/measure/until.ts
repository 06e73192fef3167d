import { setTimeout as pause } from 'node:timers/promises'

const everyMs = 20

/** Polls `isSo` every 20 ms until it is true. Rejects when `signal` is aborted, or after `deadlineMs`. */
export async function until(
  what: string,
  signal: AbortSignal,
  isSo: () => Promise<boolean>,
  deadlineMs = 120_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs / 1_000} s`)
    await pause(everyMs, undefined, { signal })
  }
}
