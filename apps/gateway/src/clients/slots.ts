import { shareOfFree } from './budget.ts'
import type { Client } from './clients.ts'

/**
 * Bounded room for things under way; a request that finds none waits. As in budget.ts a client may hold `shareOfFree` times
 * what is free. The client that holds least comes first, and among equals the request that came first.
 */
export interface Slots {
  /**
   * Resolves with `count` slots, which are given back with their scope. Rejects with the reason of the signal when that is
   * aborted before.
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

  /** Without a client there is no share. A client that holds nothing may have one thing, however large. */
  const isWithinShare = (client: Client | undefined, count: number): boolean => {
    const held = heldOf(client)
    return client === undefined || held === 0 || held + count - 1 < shareOfFree * (free - count + 1)
  }

  function beginNext(): void {
    while (free > 0) {
      const ready = waiting.filter(({ client, count }) => isWithinShare(client, count))
      const next = leastBy(ready, ({ client }) => heldOf(client))
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

/** The first of those with the least value. */
const leastBy = <T>(all: readonly T[], measure: (one: T) => number): T | undefined =>
  all.reduce<T | undefined>(
    (least, one) => (least !== undefined && measure(least) <= measure(one) ? least : one),
    undefined,
  )
