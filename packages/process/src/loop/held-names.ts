/**
 * Names that are held back for a while, and whether each was added meanwhile. They come free at the ticks of a clock, all
 * that are due at once, so that they can then be taken together.
 */
export interface HeldNames<Name extends string> {
  /**
   * Holds a name back for `ms` from now; the time of an earlier call no longer counts. The name counts as added if
   * `isAdded` is true, or if it was added before.
   */
  hold(name: Name, ms: number, isAdded: boolean): void
  /** Remembers that the name was added. False when it is not held: then that is the caller's to do. */
  add(name: Name): boolean
  /** Lets all go at once, and returns those that were added. */
  drain(): Name[]
}

const tickMs = 10

/** `onFree` gets each name that was added when its time is over. */
export function createHeldNames<Name extends string>(onFree: (name: Name) => void): HeldNames<Name> {
  const held = new Map<Name, { readonly until: number; readonly isAdded: boolean }>()
  let isTicking = false

  function tickLater(): void {
    if (isTicking) return
    isTicking = true
    setTimeout(tick, tickMs - (performance.now() % tickMs)).unref()
  }

  function tick(): void {
    isTicking = false
    const now = performance.now()
    for (const [name, { until, isAdded }] of held) {
      if (until > now) continue
      held.delete(name)
      if (isAdded) onFree(name)
    }
    if (held.size > 0) tickLater()
  }

  return {
    hold(name, ms, isAdded) {
      const wasAdded = held.get(name)?.isAdded ?? false
      held.set(name, { until: performance.now() + ms, isAdded: isAdded || wasAdded })
      tickLater()
    },
    add(name) {
      const known = held.get(name)
      if (known === undefined) return false
      held.set(name, { ...known, isAdded: true })
      return true
    },
    drain() {
      const added = [...held].filter(([, { isAdded }]) => isAdded).map(([name]) => name)
      held.clear()
      return added
    },
  }
}
