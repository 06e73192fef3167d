import { shareOfFree } from './budget.ts'
import type { Client } from './clients.ts'

/**
 * Room for things under way, of which there is only so much; who finds none waits. As in budget.ts a client may hold so
 * many times what is free; who holds least comes first, and among those who hold as much the first who came.
 */
export interface Slots {
  /**
   * Resolves with so many slots, at most all there are, which are given back with their scope. Rejects with the reason
   * of the signal when that is aborted before.
   */
  take(count?: number, client?: Client, signal?: AbortSignal): Promise<Disposable>
}

interface Waiting {
  readonly count: number
  readonly client: Client | undefined
  readonly begin: () => void
}

export function createSlots(max: number): Slots {
  const heldBy = new Map<Client | undefined, number>()
  let waiting: Waiting[] = []
  let free = max

  const heldOf = (client: Client | undefined) => heldBy.get(client) ?? 0

  function hold(client: Client | undefined, count: number): void {
    const held = heldOf(client) + count
    if (held === 0) heldBy.delete(client)
    else heldBy.set(client, held)
    free -= count
  }

  /** What nobody is named for may have all. A client that holds nothing may have one thing, however large. */
  const isWithinShare = (client: Client | undefined, count: number): boolean => {
    const held = heldOf(client)
    return client === undefined || held === 0 || held + count - 1 < shareOfFree * (free - count + 1)
  }

  function beginNext(): void {
    while (free > 0) {
      const ready = waiting.filter(({ client, count }) => isWithinShare(client, count))
      const next = ready.reduce<Waiting | undefined>(
        (first, one) => (first && heldOf(first.client) <= heldOf(one.client) ? first : one),
        undefined,
      )
      // What is large must not be overtaken for ever by what is small.
      if (next === undefined || next.count > free) return
      waiting = waiting.filter((one) => one !== next)
      hold(next.client, next.count)
      next.begin()
    }
  }

  return {
    async take(count = 1, client, signal) {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const begin = () => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        waiting = waiting.filter((one) => one.begin !== begin)
        reject(signal?.reason)
        beginNext() // it may have been what the others waited behind
      }
      waiting.push({ count, client, begin })
      signal?.addEventListener('abort', giveUp, { once: true })
      beginNext()
      await promise
      let held = count
      return {
        [Symbol.dispose]() {
          hold(client, -held)
          held = 0
          beginNext()
        },
      }
    },
  }
}
