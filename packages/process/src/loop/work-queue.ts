import { createHeldNames } from './held-names.ts'

/** Names that wait for a turn, topics for instance: each once, in the order in which they were added. */
export interface WorkQueue<Name extends string> {
  add(name: Name): void
  /** Takes up to `max` names out; with `isWanted`, only those that it accepts. */
  take(max: number, isWanted?: (name: Name) => boolean): Name[]
  /** Whether there is a name to take that `isWanted` accepts. */
  has(isWanted: (name: Name) => boolean): boolean
  /** Takes all names out, those that are held back and were added included. */
  drain(): Name[]
  /** Puts names back at the front. */
  putBack(names: readonly Name[]): void
  /** Adds the name, but only after `ms`. Nothing brings it back earlier. */
  defer(name: Name, ms: number): void
  /** Holds the name back for `ms`, remembering whether it was in the queue or is added meanwhile. */
  rest(name: Name, ms: number): void
  /** Resolves when a name can be taken, or when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>
}

export function createWorkQueue<Name extends string>(): WorkQueue<Name> {
  const names = new Set<Name>()
  /** What was put back: it comes before the others. */
  let first = new Set<Name>()
  let wake = () => {}
  const append = (name: Name) => {
    if (!first.has(name)) names.add(name)
    wake()
  }
  const remove = (name: Name): boolean => {
    const isFirst = first.delete(name)
    return names.delete(name) || isFirst
  }
  const held = createHeldNames<Name>(append)

  return {
    add: (name) => {
      if (!held.add(name)) append(name)
    },
    take: (max, isWanted = () => true) => {
      const taken = takeFrom(first, max, isWanted)
      return [...taken, ...takeFrom(names, max - taken.length, isWanted)]
    },
    has: (isWanted) => [first, names].some((set) => set.values().some(isWanted)),
    drain: () => {
      const all = [...first, ...names, ...held.drain()]
      for (const set of [first, names]) set.clear()
      return all
    },
    putBack: (back) => {
      for (const name of back) names.delete(name)
      first = new Set([...back, ...first])
    },
    defer: (name, ms) => {
      remove(name)
      held.hold(name, ms, true)
    },
    rest: (name, ms) => held.hold(name, ms, remove(name)),
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

function takeFrom<Name extends string>(
  set: Set<Name>,
  max: number,
  isWanted: (name: Name) => boolean,
): Name[] {
  const taken = [...set.values().filter(isWanted).take(max)]
  for (const name of taken) set.delete(name)
  return taken
}
