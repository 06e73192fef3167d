/**
 * Lets what is over a limit through all the same, late and bounded: so whoever has a good key gets in from an address that
 * shows many bad ones, and PostgreSQL has no more work of it than two queries in each round.
 *
 * Whoever comes waits for the end of the round, 250 ms at most. Of more than a round has room for, chance chooses who waits,
 * all alike ("reservoir sampling"): first come, first served would leave all room to a flood, which always comes first.
 */
import type { Client } from '../clients/clients.ts'

export interface LateLookups {
  /** Resolves at the end of a round, with false if there was no room in it. */
  pass(client: Client): Promise<boolean>
}

const roundMs = 250
/** Clients that have a part of a round. */
const clientsMax = 8

interface Waiting {
  readonly passed: ((hasRoom: boolean) => void)[]
  came: number
}

/** `most` is for one client, in a round. */
export function createLateLookups(most: number, random: () => number): LateLookups {
  let round = new Map<Client, Waiting>()

  function endRound(): void {
    const ended = round
    round = new Map()
    for (const { passed } of ended.values()) for (const pass of passed) pass(true)
  }

  function wait({ passed, came }: Waiting, pass: (hasRoom: boolean) => void): void {
    if (passed.length < most) {
      passed.push(pass)
      return
    }
    const place = Math.floor(random() * came)
    const other = place < most ? passed[place] : pass
    if (place < most) passed[place] = pass
    other?.(false)
  }

  return {
    pass(client) {
      if (round.size === 0) setTimeout(endRound, roundMs).unref()
      const waiting = round.get(client) ?? { passed: [], came: 0 }
      if (waiting.came === 0 && round.size >= clientsMax) return Promise.resolve(false)
      round.set(client, waiting)
      waiting.came += 1
      return new Promise((resolve) => wait(waiting, resolve))
    },
  }
}
