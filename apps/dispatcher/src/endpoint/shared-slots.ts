/** Requests over all endpoints have a bound; beyond it each endpoint still has one, so that none can keep others from theirs. */
export interface SharedSlots {
  /** Requests that are on their way. */
  readonly sending: number
  /**
   * How many of `wanted` an endpoint may begin that has `own` on their way. They are kept for it until it gives them back: while
   * it is handed events others see no room that is not there.
   */
  reserve(wanted: number, own: number): number
  giveBack(reserved: number): void
  take(): void
  free(): void
}

export function createSharedSlots(max: number): SharedSlots {
  let sending = 0
  let reserved = 0
  return {
    get sending() {
      return sending
    },
    reserve(wanted, own) {
      const granted = Math.min(wanted, Math.max(max - sending - reserved, own === 0 ? 1 : 0))
      reserved += granted
      return granted
    },
    giveBack(count) {
      reserved -= count
    },
    take() {
      sending += 1
    },
    free() {
      sending -= 1
    },
  }
}
