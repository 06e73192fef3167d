import type { Client } from './clients.ts'

/** How much each client may do at once, and how much of that comes back each second. */
export interface RateLimit {
  readonly burst: number
  readonly perSecond: number
}

/** A token bucket for each client. */
export interface Rate {
  /** Takes `count` and returns 0; or returns in how many seconds there will be enough. `Infinity`: never. */
  take(client: Client, count: number): number
  /** Gives back what was taken and not used. */
  giveBack(client: Client, count: number): void
}

/** Clients that are remembered; beyond them the oldest is forgotten. */
const clientsMax = 10_000

export function createRate({ burst, perSecond }: RateLimit, now = () => performance.now()): Rate {
  const used = new Map<Client, { amount: number; at: number }>()

  function usedBy(client: Client, at: number): number {
    const last = used.get(client)
    return last === undefined ? 0 : Math.max(0, last.amount - ((at - last.at) * perSecond) / 1_000)
  }

  function forgetSome(at: number): void {
    for (const client of used.keys()) if (usedBy(client, at) === 0) used.delete(client)
    const [oldest] = used.keys()
    if (used.size >= clientsMax && oldest !== undefined) used.delete(oldest)
  }

  return {
    take(client, count) {
      if (count > burst) return Number.POSITIVE_INFINITY
      const at = now()
      const amount = usedBy(client, at) + count
      if (amount > burst) return (amount - burst) / perSecond
      if (used.size >= clientsMax && !used.has(client)) forgetSome(at)
      used.delete(client) // so that it comes last
      used.set(client, { amount, at })
      return 0
    },
    giveBack(client, count) {
      const last = used.get(client)
      if (last !== undefined) last.amount -= count
    },
  }
}
