/** Passes things from one who gives to those who take, in the order in which they came. */
export interface HandOver<T> {
  give(thing: T): void
  /** The next one; undefined if none comes any more. */
  take(): Promise<T | undefined>
  /** Nothing comes any more; returns what nobody has taken. */
  end(): T[]
}

export function createHandOver<T>(): HandOver<T> {
  const things: T[] = []
  const takers: ((thing: T | undefined) => void)[] = []
  let isOver = false
  return {
    give(thing) {
      const taker = takers.shift()
      if (taker === undefined) things.push(thing)
      else taker(thing)
    },
    async take() {
      if (things.length > 0 || isOver) return things.shift()
      return new Promise((resolve) => takers.push(resolve))
    },
    end() {
      isOver = true
      for (const taker of takers.splice(0)) taker(undefined)
      return things.splice(0)
    },
  }
}
