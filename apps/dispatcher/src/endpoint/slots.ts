/**
 * Requests that are on their way to one endpoint: first attempts and retries apart, so that retries which hang leave room for what
 * is new. With a concurrency of 1 both share it, and take turns.
 */
export interface Room {
  readonly firstMax: number
  readonly againMax: number
  readonly max: number
}

export interface Slots {
  readonly sending: number
  /** What may be handed out, if so many may begin. */
  room(begin: number, mayFirst: boolean, mayAgain: boolean): Room
  take(isFirst: boolean): void
  free(isFirst: boolean): void
  set(concurrency: number): void
}

/** Of the concurrency, for retries. */
const againShare = 4

export function createSlots(): Slots {
  let concurrency = 1
  let first = 0
  let again = 0
  let prefersFirst = true

  return {
    get sending() {
      return first + again
    },
    room(begin, mayFirst, mayAgain) {
      const againCap = Math.max(1, Math.floor(concurrency / againShare))
      const firstCap = Math.max(1, concurrency - againCap)
      const firstMax = mayFirst ? Math.max(0, Math.min(firstCap - first, begin)) : 0
      const againMax = mayAgain ? Math.max(0, Math.min(againCap - again, begin)) : 0
      const max = Math.min(begin, firstMax + againMax)
      if (max !== 1 || firstMax === 0 || againMax === 0) return { firstMax, againMax, max }
      prefersFirst = !prefersFirst
      return prefersFirst ? { firstMax, againMax: 0, max } : { firstMax: 0, againMax, max }
    },
    take(isFirst) {
      if (isFirst) first += 1
      else again += 1
    },
    free(isFirst) {
      if (isFirst) first -= 1
      else again -= 1
    },
    set(most) {
      concurrency = most
    },
  }
}
