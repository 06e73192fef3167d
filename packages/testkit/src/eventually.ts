import { setTimeout as pause } from 'node:timers/promises'

/**
 * Tries until `check` no longer throws, and returns what it returned. After `deadlineMs` it throws what the check
 * threw last.
 */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 15_000): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await pause(20)
  }
}
