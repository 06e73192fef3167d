/** Things of which only so many may be under way at a time; the others wait in the order in which they came. */
export interface Slots {
  /** Resolves with a slot, which is given back with its scope. */
  take(): Promise<Disposable>
}

export function createSlots(max: number): Slots {
  let free = max
  const waiting: (() => void)[] = []
  const slot = (): Disposable => {
    let held = true
    return {
      [Symbol.dispose]() {
        if (!held) return
        held = false
        const next = waiting.shift()
        if (next) next()
        else free += 1
      },
    }
  }
  return {
    async take() {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      return slot()
    },
  }
}
