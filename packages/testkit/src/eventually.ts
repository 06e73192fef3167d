import { waitUntil } from '@sekali/servers/wait-until'

/**
 * Tries until `check` no longer throws, and returns what it returned. After `deadlineMs` it throws what the check
 * threw last.
 */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 15_000): Promise<T> {
  const found: T[] = []
  let refusal: unknown
  const passes = async () => {
    try {
      found.push(await check())
      return true
    } catch (error) {
      refusal = error
      return false
    }
  }
  if (await waitUntil(passes, deadlineMs)) return found[0] as T
  throw refusal
}
