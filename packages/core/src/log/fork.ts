/**
 * A topic's log has one line of numbers, until PostgreSQL is put back to an earlier state while readers have seen a later
 * one: then other events get the numbers that those readers know. So the log begins another *epoch*, 1, 2, 3 and on. It
 * *forks* at the last event that both epochs have.
 */

/** Where an epoch began. The first one has none. */
export interface Fork {
  /** The epoch that began, 2 or greater. */
  readonly epoch: number
  /** The last seq that it has in common with the epochs before; 0 when it has none. */
  readonly forkedAt: number
  /** When it began (UTC, µs). */
  readonly at: string
}

/** A place in a topic's log: behind the event with this seq of this epoch. */
export interface EpochPlace {
  readonly epoch: number
  readonly seq: number
}

/**
 * The fork that lies before a place: the reader who is there has read events after `forkedAt` that the log no longer has.
 * Of several, the one furthest back, and of equals the latest. `undefined` when all it has read is still in the log, so
 * that it may go on in the current epoch.
 *
 * `forks` are all of the topic, in any order. A place in an epoch that has not begun yet, as far as the forks show, has
 * none before it: whoever restored a still earlier state will begin another.
 */
export function forkBefore(forks: readonly Fork[], { epoch, seq }: EpochPlace): Fork | undefined {
  let furthest: Fork | undefined
  for (const fork of forks) {
    if (fork.epoch <= epoch || fork.forkedAt >= seq) continue
    const isFurther =
      furthest === undefined ||
      fork.forkedAt < furthest.forkedAt ||
      (fork.forkedAt === furthest.forkedAt && fork.epoch > furthest.epoch)
    if (isFurther) furthest = fork
  }
  return furthest
}
