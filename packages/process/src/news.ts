/** What may have to be looked at, for instance topics, by name and in the order in which that was heard. */
export interface News<Name extends string> {
  readonly size: number
  add(name: Name): void
  /** Takes up to `max` names out. */
  take(max: number): Name[]
  /** Puts names back at the front. */
  putBack(names: readonly Name[]): void
  /** Takes one name out: somebody else has looked. */
  drop(name: Name): void
  /** Adds the name only after `ms`, whatever is heard of it until then. */
  defer(name: Name, ms: number): void
  /** Keeps to itself for `ms`, and until the next tick, what is heard of the name. */
  rest(name: Name, ms: number): void
  /** Resolves when there is news, or when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>
}

/** Rests end together, at the ticks of a clock: what is then heard of several names can be looked at in one go. */
const tickMs = 10

export function createNews<Name extends string>(): News<Name> {
  const names = new Set<Name>()
  /** What was put back: it comes before the others. */
  let first = new Set<Name>()
  /** What must wait, until when, and whether there is news of it. */
  const waiting = new Map<Name, { isNews: boolean; readonly timer: NodeJS.Timeout }>()
  let wake = () => {}
  const add = (name: Name) => {
    const rest = waiting.get(name)
    if (rest !== undefined) {
      rest.isNews = true
      return
    }
    if (!first.has(name)) names.add(name)
    wake()
  }
  const drop = (name: Name) => {
    first.delete(name)
    names.delete(name)
    const rest = waiting.get(name)
    if (rest !== undefined) rest.isNews = false
  }
  const keep = (name: Name, ms: number, isNews: boolean) => {
    const before = waiting.get(name)
    clearTimeout(before?.timer)
    const timer = setTimeout(() => {
      const isHeard = waiting.get(name)?.isNews
      waiting.delete(name)
      if (isHeard) add(name)
    }, ms).unref()
    waiting.set(name, { isNews: isNews || before?.isNews || first.has(name) || names.has(name), timer })
    first.delete(name)
    names.delete(name)
  }
  return {
    get size() {
      return first.size + names.size
    },
    add,
    take: (max) => {
      const taken = [...first.values().take(max)]
      for (const name of taken) first.delete(name)
      for (const name of names.values().take(max - taken.length)) {
        names.delete(name)
        taken.push(name)
      }
      return taken
    },
    putBack: (back) => {
      for (const name of back) names.delete(name)
      first = new Set([...back, ...first])
    },
    drop,
    defer: (name, ms) => keep(name, ms, true),
    rest: (name, ms) => {
      const now = performance.now()
      keep(name, Math.ceil((now + ms) / tickMs) * tickMs - now, false)
    },
    wait: (signal) =>
      new Promise((resolve) => {
        if (first.size + names.size > 0 || signal.aborted) return resolve()
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
