import { setTimeout as sleep } from 'node:timers/promises'
import { isLocked } from './errors.ts'

const triesMax = 20
const betweenMs = 1_000

/**
 * Does what wants a lock on a table that is in use: with a short `lock_timeout`, because all who come later wait for whoever
 * waits for a lock, and again while somebody has it. It may be a dump, or a long query. Rejects with what the last try threw.
 */
export async function untilUnlocked<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isLocked(error) || tries === triesMax) throw error
      await sleep(betweenMs)
    }
  }
}
