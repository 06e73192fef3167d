/** What may have to be looked at, for instance topics, by name and in the order in which that was heard. */
export interface News<Name extends string> {
  readonly size: number
  add(name: Name): void
  /** Takes up to `max` names out. */
  take(max: number): Name[]
  /** Puts names back at the front. */
  putBack(names: readonly Name[]): void
  /** Adds the name only after `ms`, whatever is heard of it until then. */
  defer(name: Name, ms: number): void
  /** Resolves when there is news, or when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>
}

export function createNews<Name extends string>(): News<Name> {
  let names = new Set<Name>()
  const deferred = new Set<Name>()
  let wake = () => {}
  const add = (name: Name) => {
    if (deferred.has(name)) return
    names.add(name)
    wake()
  }
  return {
    get size() {
      return names.size
    },
    add,
    take: (max) => {
      const taken = [...names.values().take(max)]
      for (const name of taken) names.delete(name)
      return taken
    },
    putBack: (first) => {
      names = new Set([...first, ...names])
    },
    defer: (name, ms) => {
      names.delete(name)
      deferred.add(name)
      setTimeout(() => {
        deferred.delete(name)
        add(name)
      }, ms).unref()
    },
    wait: (signal) =>
      new Promise((resolve) => {
        if (names.size > 0 || signal.aborted) return resolve()
        const done = () => {
          wake = () => {}
          signal.removeEventListener('abort', done)
          resolve()
        }
        wake = done
        signal.addEventListener('abort', done, { once: true })
      }),
  }
}
