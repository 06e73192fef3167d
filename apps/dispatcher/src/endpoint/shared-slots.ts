/**
 * Requests over all endpoints have a bound, and their bytes have one; beyond them each endpoint still has one, so that none can
 * keep others from theirs.
 */
export interface SharedSlots {
  /** Requests that are on their way. */
  readonly sending: number
  /**
   * How many of `wanted` an endpoint may begin that has `own` on their way. They are kept for it until it gives them back: while
   * it is handed events others see no room that is not there.
   */
  reserve(wanted: number, own: number): number
  giveBack(reserved: number): void
  /** A request of so many bytes is on its way, or no longer. */
  take(bytes: number): void
  free(bytes: number): void
}

export function createSharedSlots(max: number, bytesMax: number): SharedSlots {
  let sending = 0
  let sendingBytes = 0
  let reserved = 0
  return {
    get sending() {
      return sending
    },
    reserve(wanted, own) {
      const free = sendingBytes < bytesMax ? max - sending - reserved : 0
      const granted = Math.min(wanted, Math.max(free, own === 0 ? 1 : 0))
      reserved += granted
      return granted
    },
    giveBack(count) {
      reserved -= count
    },
    take(bytes) {
      sending += 1
      sendingBytes += bytes
    },
    free(bytes) {
      sending -= 1
      sendingBytes -= bytes
    },
  }
}
