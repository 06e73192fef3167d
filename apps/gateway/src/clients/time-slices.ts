/**
 * Long work in portions. In one pass of the event loop a few milliseconds of it are done, whoever has how much to do,
 * and everything else that the process serves has its turn before the next. Clients alternate; of one client the
 * works are done one after the other, so that only one at a time holds what it needs in memory.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Client } from './clients.ts'

export interface Turns {
  /** Resolves with what the work returns, or rejects with what it throws. It is interrupted only where it yields. */
  run<T>(client: Client, work: Generator<undefined, T>): Promise<T>
}

/** Milliseconds of long work in a pass of the event loop; an answer takes a few passes. */
const passMs = 2
/** After so long the next client has its turn. */
const turnMs = 0.5

/** Does some of a work until the time has come; whether it is done. Never throws. */
type Advance = (until: number) => boolean

export function createTurns(): Turns {
  // Of each client its works; the client whose turn it is comes first.
  const queues = new Map<Client, Advance[]>()
  let isRunning = false

  async function runAll(): Promise<void> {
    isRunning = true
    for (; queues.size > 0; await nextRound()) {
      for (const end = performance.now() + passMs; queues.size > 0 && performance.now() < end; ) takeTurn()
    }
    isRunning = false
  }

  function takeTurn(): void {
    for (const [client, works] of queues) {
      if (works[0]?.(performance.now() + turnMs)) works.shift()
      queues.delete(client)
      if (works.length > 0) queues.set(client, works)
      return
    }
  }

  return {
    run(client, work) {
      return new Promise((resolve, reject) => {
        const advance: Advance = (until) => {
          try {
            do {
              const { done, value } = work.next()
              if (done) {
                resolve(value)
                return true
              }
            } while (performance.now() < until)
            return false
          } catch (error) {
            reject(error)
            return true
          }
        }
        const works = queues.get(client)
        if (works) works.push(advance)
        else queues.set(client, [advance])
        if (!isRunning) void runAll()
      })
    },
  }
}
