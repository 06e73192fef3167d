/**
 * Long work in slices. One pass of the event loop does a few milliseconds of it, however much there is, and then serves
 * everything else. Clients alternate. A client's own works run one after the other, so that only one of them holds
 * what it needs in memory.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Client } from './clients.ts'

export interface TimeSlices {
  /** Resolves with what the work returns, or rejects with what it throws. It is interrupted only where it yields. */
  run<T>(client: Client, work: Generator<undefined, T>): Promise<T>
}

/** Milliseconds of long work in a pass of the event loop; an answer takes a few passes. */
const passMs = 2
/** Then the next client is served. */
const sliceMs = 0.5

/** Does some of a work, up to a moment. True once all of it is done. Never throws. */
type Advance = (until: number) => boolean

export function createTimeSlices(): TimeSlices {
  // The works of each client; the client that is served next comes first.
  const queues = new Map<Client, Advance[]>()
  let isRunning = false

  async function runAll(): Promise<void> {
    isRunning = true
    for (; queues.size > 0; await nextRound()) {
      for (const end = performance.now() + passMs; queues.size > 0 && performance.now() < end; ) runSlice()
    }
    isRunning = false
  }

  function runSlice(): void {
    for (const [client, works] of queues) {
      if (works[0]?.(performance.now() + sliceMs)) works.shift()
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
