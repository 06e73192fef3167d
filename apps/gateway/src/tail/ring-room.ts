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
 * A ring may take half of what the others leave, up to `ringBytesMax`. So the room is divided among the rings in use: of
 * thousands of feeds most have nothing to keep. Readers read what their ring cannot keep as history. That costs little:
 * where there are thousands of feeds, each has few readers.
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
