import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '@sekali/servers/wait-until'

/** Waits; ends early, and without an error, when `signal` is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(Math.max(0, ms), undefined, signal ? { signal } : {}).catch(() => undefined)

const stepMs = 50
const patienceMs = 60_000

/**
 * Polls `done` until it is true, and resolves with whether that came within `deadlineMs`. An error means "not yet": the
 * systems that are polled are being broken.
 */
export const until = (
  done: () => Promise<boolean> | boolean,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<boolean> =>
  waitUntil(
    () =>
      Promise.resolve()
        .then(done)
        .catch(() => false),
    deadlineMs,
    { stepMs, signal },
  )

/**
 * Tries again for up to a minute: what is read after the faults must not fail because the machine is busy. Rejects with
 * the last error.
 */
export async function patiently<T>(read: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined
  let failure: unknown
  const isRead = async () => {
    try {
      result = { value: await read() }
    } catch (error) {
      failure = error
    }
    return result !== undefined
  }
  await waitUntil(isRead, patienceMs, { stepMs: 10 * stepMs })
  if (result === undefined) throw failure
  return result.value
}
