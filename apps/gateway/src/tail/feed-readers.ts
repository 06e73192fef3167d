import { setImmediate as nextRound } from 'node:timers/promises'

export interface Reader {
  /** There may be something new in the ring. Must not throw. */
  pump(): void
  /** Nothing will come any more. `why` is for whoever looks at the connection. */
  end(why?: string): void
}

/** Everybody who reads one feed. */
export interface FeedReaders {
  readonly all: Set<Reader>
  pumpAll(): Promise<void>
  endAll(why?: string): void
}

/** Readers that are pumped before the event loop serves others. */
const pumpedAtOnceMax = 128

export function createFeedReaders(): FeedReaders {
  const all = new Set<Reader>()
  return {
    all,
    async pumpAll() {
      let pumped = 0
      for (const reader of all) {
        reader.pump()
        if (++pumped % pumpedAtOnceMax === 0) await nextRound()
      }
    },
    endAll(why) {
      for (const reader of [...all]) reader.end(why)
    },
  }
}
