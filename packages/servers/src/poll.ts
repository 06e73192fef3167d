import { setTimeout as pause } from 'node:timers/promises'

export interface PollOptions {
  readonly deadlineMs: number
  readonly stepMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Calls `isDone` until it is true, and resolves with whether that came before the deadline and before `signal` was aborted.
 * It is called at least once, unless aborted before. Rejects with what `isDone` throws.
 */
export async function poll(
  isDone: () => Promise<boolean> | boolean,
  { deadlineMs, stepMs, signal }: PollOptions,
): Promise<boolean> {
  const endsAt = performance.now() + deadlineMs
  while (!signal?.aborted) {
    if (await isDone()) return true
    if (performance.now() > endsAt) return false
    await pause(stepMs, undefined, signal && { signal }).catch(() => undefined)
  }
  return false
}
