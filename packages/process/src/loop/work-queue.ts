/** What may have to be looked at, for instance topics, by name and in the order in which that was heard. */
export interface News<Name extends string> {
  add(name: Name): void
  /** Takes up to `max` names out; if told which are wanted, of these alone. */
  take(max: number, isWanted?: (name: Name) => boolean): Name[]
  /** Takes all out, also of what must wait. */
  drain(): Name[]
  /** Puts names back at the front. */
  putBack(names: readonly Name[]): void
  /** Takes one name out: somebody else has looked. */
  drop(name: Name): void
  /** Adds the name only after `ms`, at the next tick, whatever is heard of it until then. */
  defer(name: Name, ms: number): void
  /** Keeps to itself for `ms`, and until the next tick, what is heard of the name. */
  rest(name: Name, ms: number): void
  /** Resolves when there is news, or when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>
}

/** What must wait comes back at the ticks of a clock, all of it at once, and can then be looked at in one go. */
const tickMs = 10

export function createNews<Name extends string>(): News<Name> {
  const names = new Set<Name>()
  /** What was put back: it comes before the others. */
  let first = new Set<Name>()
  /** What must wait, until when, and whether there is news of it. */
  const waiting = new Map<Name, { readonly until: number; isNews: boolean }>()
  let isTicking = false
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
    const isHeard = isNews || waiting.get(name)?.isNews || first.has(name) || names.has(name)
    waiting.set(name, { until: performance.now() + ms, isNews: isHeard })
    first.delete(name)
    names.delete(name)
    tickLater()
  }
  const tickLater = () => {
    if (isTicking) return
    isTicking = true
    setTimeout(tick, tickMs - (performance.now() % tickMs)).unref()
  }
  const tick = () => {
    isTicking = false
    const now = performance.now()
    for (const [name, { until, isNews }] of waiting) {
      if (until > now) continue
      waiting.delete(name)
      if (isNews) add(name)
    }
    if (waiting.size > 0) tickLater()
  }
  return {
    add,
    take: (max, isWanted = () => true) => {
      const taken: Name[] = []
      for (const set of [first, names]) {
        for (const name of set
          .values()
          .filter(isWanted)
          .take(max - taken.length)) {
          set.delete(name)
          taken.push(name)
        }
      }
      return taken
    },
    drain: () => {
      const heard = [...waiting].filter(([, { isNews }]) => isNews).map(([name]) => name)
      const all = [...first, ...names, ...heard]
      for (const set of [first, names, waiting]) set.clear()
      return all
    },
    putBack: (back) => {
      for (const name of back) names.delete(name)
      first = new Set([...back, ...first])
    },
    drop,
    defer: (name, ms) => keep(name, ms, true),
    rest: (name, ms) => keep(name, ms, false),
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
