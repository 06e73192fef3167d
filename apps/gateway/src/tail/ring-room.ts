/** What all rings together may take. */
export interface RingRoom {
  /** The part of one ring. */
  share(): RingShare
}

/** Given back when disposed of. */
export interface RingShare extends Disposable {
  /** How many bytes the ring may take at this moment. */
  readonly bytesMax: number
  /** How many it takes. */
  hold(bytes: number): void
}

/**
 * A ring may take as much as is free beside it, up to `ringBytesMax`. So what is divided is divided among those that
 * are in use: of thousands of feeds most have nothing to keep. Whatever a ring cannot keep its readers read by
 * themselves, which with so many feeds are few for each.
 */
export function createRingRoom(bytesMax: number, ringBytesMax: number): RingRoom {
  let inUse = 0
  return {
    share() {
      let held = 0
      return {
        get bytesMax() {
          return Math.min(ringBytesMax, (bytesMax - (inUse - held)) / 2)
        },
        hold(bytes) {
          inUse += bytes - held
          held = bytes
        },
        [Symbol.dispose]() {
          inUse -= held
          held = 0
        },
      }
    },
  }
}
