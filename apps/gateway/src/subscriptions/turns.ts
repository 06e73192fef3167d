/**
 * One call of PostgreSQL at a time in each subscription, in order of arrival: a second one would only wait there for the row
 * that the first has locked, and hold a connection meanwhile.
 */
export interface Turns {
  /** Resolves with what `work` does once all who came before are through. */
  take<T>(subscription: string, work: () => Promise<T>): Promise<T>
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    take(subscription, work) {
      const done = (last.get(subscription) ?? Promise.resolve()).then(work)
      const over = done.then(
        () => undefined,
        () => undefined,
      )
      last.set(subscription, over)
      void over.then(() => {
        if (last.get(subscription) === over) last.delete(subscription)
      })
      return done
    },
  }
}
