import { setTimeout as pause } from 'node:timers/promises'

export interface WaitOptions {
  /** Between two calls of `done`. */
  readonly stepMs?: number
  /** Ends the waiting early. */
  readonly signal?: AbortSignal | undefined
  /** Each change of its value puts the deadline off: a server that replays a long log is slow, not dead. */
  readonly progress?: () => unknown
}

/** Calls `done` until it returns true. Returns false after `deadlineMs`, or when `signal` is aborted. */
export async function waitUntil(
  done: () => boolean | Promise<boolean>,
  deadlineMs: number,
  { stepMs = 20, signal, progress = () => undefined }: WaitOptions = {},
): Promise<boolean> {
  let last = await progress()
  let since = performance.now()
  while (!signal?.aborted) {
    if (await done()) return true
    const now = await progress()
    if (now !== last) {
      last = now
      since = performance.now()
    }
    if (performance.now() - since > deadlineMs) return false
    await pause(stepMs, undefined, signal && { signal }).catch(() => undefined) // only the signal rejects it
  }
  return false
}
