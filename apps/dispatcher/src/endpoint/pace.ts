/**
 * How much may go out at once. After any pause one request alone; when as many have succeeded in a row as may be on their way,
 * twice as many, up to the concurrency. And never more in a second than the rate.
 */
export interface Pace {
  /** How many requests may begin now, of so many that are on their way. */
  room(sending: number): number
  onBegun(count: number): void
  onSuccess(): void
  onFailure(): void
  /** There was a pause: it begins slowly. */
  restart(): void
  set(concurrency: number, ratePerSecond: number | null): void
  /** Milliseconds until the rate lets one begin; 0 if it does. */
  waitMs(): number
}

/** Of the rate, what may begin together. */
const burstShare = 20

export function createPace(now: () => number = performance.now.bind(performance)): Pace {
  let concurrency = 1
  let rate: number | null = null
  let window = 1
  let successes = 0
  let tokens = 1
  let filledAt = now()

  const burst = () => Math.max(1, Math.floor((rate ?? 0) / burstShare))
  /** With what may begin together, no more than the rate in any second. */
  const perSecond = () => Math.max((rate ?? 0) - (burst() > 1 ? burst() : 0), Number.EPSILON)

  function fill(): void {
    const at = now()
    tokens = Math.min(burst(), tokens + ((at - filledAt) / 1_000) * perSecond())
    filledAt = at
  }

  return {
    room(sending) {
      const free = Math.min(window, concurrency) - sending
      if (rate === null) return Math.max(0, free)
      fill()
      return Math.max(0, Math.min(free, Math.floor(tokens)))
    },
    onBegun(count) {
      if (rate !== null) tokens -= count
    },
    onSuccess() {
      successes += 1
      if (successes < window) return
      window = Math.min(window * 2, concurrency)
      successes = 0
    },
    onFailure() {
      successes = 0
    },
    restart() {
      window = 1
      successes = 0
    },
    set(most, perSecondMost) {
      concurrency = most
      rate = perSecondMost
      window = Math.min(window, concurrency)
    },
    waitMs() {
      if (rate === null) return 0
      fill()
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond()) * 1_000)
    },
  }
}
