import { type Held, hold, type Numbered, type PulledItem } from './job.ts'
import type { Settle } from './settle.ts'

/** The events that a worker holds: pulled and not settled, begun or not. */
export interface Holdings<Event extends Numbered> {
  size(): number
  keep(item: PulledItem<Event>): Held<Event>
  /** Extends all their leases so often. */
  extendEvery(ms: number): void
  /** No more will be kept: the extensions end with the last one. */
  close(): void
}

/** `onSettled` is called once one of them is held no more. */
export function createHoldings<Event extends Numbered>(
  settle: Settle,
  onSettled: () => void,
): Holdings<Event> {
  const held = new Set<Held<Event>>()
  let isClosed = false
  let extension: Extension | undefined

  function endIfOver(): void {
    if (isClosed && held.size === 0) extension?.end()
  }

  return {
    size: () => held.size,
    keep(item) {
      const one = hold(item, settle, () => {
        held.delete(one)
        endIfOver()
        onSettled()
      })
      held.add(one)
      return one
    },
    extendEvery(ms) {
      // Somebody may change the lease.
      if (extension?.everyMs === ms) return
      extension?.end()
      extension = extending(held, ms)
    },
    close() {
      isClosed = true
      endIfOver()
    },
  }
}

interface Extension {
  readonly everyMs: number
  end(): void
}

/** Extends all that is held, again and again. A lease that is lost is found here; an error is the next round's. */
function extending(held: ReadonlySet<Held<Numbered>>, everyMs: number): Extension {
  let isUnderWay = false
  const timer = setInterval(async () => {
    if (isUnderWay) return
    isUnderWay = true
    const open = [...held].filter((one) => one.isOpen())
    await Promise.allSettled(open.map(({ job }) => job.extend()))
    isUnderWay = false
  }, everyMs)
  return { everyMs, end: () => clearInterval(timer) }
}
