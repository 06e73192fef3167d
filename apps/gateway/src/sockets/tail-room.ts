/**
 * The room that tails have for themselves. Tails stay for hours and there are thousands of them: they must not keep
 * publishers out, and slow publishers must not take theirs.
 */
import { Overloaded } from '@sekali/core/errors'
import { createBudget } from '../clients/budget.ts'
import type { Seat } from './seats.ts'

export interface TailRoom {
  /** How many tails there are. */
  count(): number
  /** Counts the seat among the tails. False if there is no room. Throws `ClientLimit`. */
  enter(seat: Seat): boolean
  /** Counts it no longer. A seat that is no tail stays as it is. */
  leave(seat: Seat): void
}

export function createTailRoom(max: number): TailRoom {
  const tails = createBudget(max, 'there are too many tails')
  let count = 0
  return {
    count: () => count,
    enter(seat) {
      const tail = tails.share(seat.client)
      try {
        tail.hold(1)
      } catch (error) {
        if (error instanceof Overloaded) return false
        throw error
      }
      seat.tail = tail
      count += 1
      return true
    },
    leave(seat) {
      if (seat.tail === undefined) return
      seat.tail[Symbol.dispose]()
      seat.tail = undefined
      count -= 1
    },
  }
}
