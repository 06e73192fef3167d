/**
 * Which fault comes when, decided by the seed: every fault once in a shuffled deck, then the next deck, so that all
 * come equally often; a moment of calm before each; and now and then the next one begins before the last is over, unless one of the two has to be alone. It ends
 * with a deck for which nothing is left that `isWanted`: what could not be injected is dealt again.
 */
import type { Fault } from '../fault.ts'
import type { Random } from '../random.ts'

export interface Injection {
  /** One fault, or two at once. */
  readonly faults: readonly Fault[]
  readonly calmMs: number
}

const overlapShare = 0.12

export function* schedule(
  faults: readonly Fault[],
  random: Random,
  isWanted: (fault: Fault) => boolean = () => true,
): Generator<Injection, void> {
  for (;;) {
    const deck = random.shuffled(faults.filter(isWanted))
    if (deck.length === 0) return
    for (let at = 0; at < deck.length; at++) {
      const [one, next] = [deck[at], deck[at + 1]]
      const mayOverlap = next !== undefined && !one?.alone && !next.alone
      const hasTwo = mayOverlap && random.chance(overlapShare)
      yield { faults: deck.slice(at, at + (hasTwo ? 2 : 1)), calmMs: random.int(100, 1_000) }
      if (hasTwo) at++
    }
  }
}
