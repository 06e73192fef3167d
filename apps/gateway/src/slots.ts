/** Room for things under way, of which there is only so much; who finds none waits, in the order in which they came. */
export interface Slots {
  /** Resolves with so many slots, at most all there are, which are given back with their scope. */
  take(count?: number): Promise<Disposable>
}

export function createSlots(max: number): Slots {
  let free = max
  const waiting: { readonly count: number; readonly begin: () => void }[] = []

  const slots = (count: number): Disposable => {
    let held = count
    return {
      [Symbol.dispose]() {
        free += held
        held = 0
        for (let [next] = waiting; next !== undefined && next.count <= free; [next] = waiting) {
          waiting.shift()
          free -= next.count
          next.begin()
        }
      },
    }
  }

  return {
    async take(count = 1) {
      if (waiting.length === 0 && count <= free) free -= count
      else await new Promise<void>((begin) => waiting.push({ count, begin }))
      return slots(count)
    },
  }
}
