/** Work that is done again for as long as somebody asks for it, with a rest behind each round. */

/** What a round returns: about how many milliseconds it kept others waiting for. */
export type Round = () => Promise<number>

export interface Rounds extends Disposable {
  /** Asks for a round in so many milliseconds; it may come sooner, and later if the last one took long. */
  ask(inMs: number): void
  isAsked(): boolean
}

/** A rest is so many times as long as what it follows: Redis has others to serve. */
const restFactor = 50
const restMsMax = 1_000

/** `round` never rejects. */
export function createRounds(round: Round, now: () => number): Rounds {
  let nextAt = Number.POSITIVE_INFINITY
  let restsUntil = 0
  let isRunning = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function set(): void {
    clearTimeout(timer)
    if (isClosed || isRunning || nextAt === Number.POSITIVE_INFINITY) return
    timer = setTimeout(() => void run(), Math.max(0, nextAt - now(), restsUntil - now())).unref()
  }

  async function run(): Promise<void> {
    isRunning = true
    nextAt = Number.POSITIVE_INFINITY
    const ms = await round()
    restsUntil = now() + Math.min(restMsMax, restFactor * ms)
    isRunning = false
    set()
  }

  return {
    ask(inMs) {
      const at = now() + inMs
      if (at >= nextAt) return
      nextAt = at
      set()
    },
    isAsked: () => nextAt !== Number.POSITIVE_INFINITY,
    [Symbol.dispose]() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
