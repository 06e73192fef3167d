/**
 * A queue of work for each client. A client does a few pieces at once. If it has more than those, and they do not become
 * fewer, the pieces that wait run one after the other, and a rest follows each. Otherwise three hundred streams that
 * begin at once, or a flood of pages, would take the event loop and PostgreSQL from everybody else.
 *
 * Whether they become fewer is tried for a second at a time, with a few at once. Who asks steadily passes that: when
 * PostgreSQL is slow for a moment, what waits behind it is soon worked off. One by one it never was: a client of 25 pages
 * a second waited for two seconds, and was refused, until it asked less. Of a flood each trial fails, and the next one
 * comes later.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from './clients.ts'

export interface Queues {
  /** Resolves with what `work` does, or rejects as it does. */
  run<T>(client: Client, work: () => Promise<T>): Promise<T>
}

/** How long a rest is, in times of the work before it. */
const restWorks = 0.5
/** How long it is tried whether a client's pieces become fewer. */
const trialMsDefault = 1_000
/** How long they run one by one before the next trial: at first, and at the most. */
const laneMsMin = 1_000
const laneMsMax = 4_000

interface Queue {
  /** Pieces that are to begin, in order. */
  readonly waiting: ((way: Way) => void)[]
  /** Pieces that are under way or wait. */
  works: number
  /** Those of them that are under way side by side. */
  atOnce: number
  /** As long as there are more than a few. */
  pace: Pace | undefined
  /** Whether one is under way, or rests, of those that run one by one. */
  isLaneBusy: boolean
}

interface Pace {
  isTrial: boolean
  /** When the trial, or the time between two, is over. */
  until: number
  /** The pieces that there were when the trial began. */
  works: number
  laneMs: number
}

type Way = 'at once' | 'one by one'

export interface QueuesOptions {
  /** 0: what is too many runs one by one, without a trial. */
  readonly trialMs?: number
  readonly now?: () => number
  readonly rest?: (ms: number) => Promise<unknown>
}

/** `atOnceMax` is called for each piece. It returns how many pieces of a client may run side by side. */
export function createQueues(
  atOnceMax: () => number,
  { trialMs = trialMsDefault, now = () => performance.now(), rest = pause }: QueuesOptions = {},
): Queues {
  const queues = new Map<Client, Queue>()

  function runsOneByOne(queue: Queue, max: number): boolean {
    // A client that is alone for a moment is not tried by that.
    if (max === Number.POSITIVE_INFINITY) return false
    if (queue.works <= max) {
      queue.pace = undefined
      return false
    }
    if (trialMs === 0) return true
    const time = now()
    queue.pace ??= { isTrial: true, until: time + trialMs, works: queue.works, laneMs: laneMsMin }
    const { pace } = queue
    if (time < pace.until) return !pace.isTrial
    // One less is what a flood has between an answer and its next request.
    if (pace.isTrial && queue.works >= pace.works - 1) {
      pace.isTrial = false
      pace.until = time + pace.laneMs
      pace.laneMs = Math.min(2 * pace.laneMs, laneMsMax)
    } else Object.assign(pace, { isTrial: true, until: time + trialMs, works: queue.works })
    return !pace.isTrial
  }

  function beginNext(queue: Queue): void {
    for (;;) {
      const max = atOnceMax()
      // Who has few left is through with what was too many, also where nothing waits: the next piece need not either.
      const way = runsOneByOne(queue, max) ? 'one by one' : 'at once'
      if (queue.waiting.length === 0) return
      if (way === 'at once' ? queue.atOnce >= max : queue.isLaneBusy) return
      if (way === 'at once') queue.atOnce += 1
      else queue.isLaneBusy = true
      queue.waiting.shift()?.(way)
    }
  }

  async function end(client: Client, queue: Queue, way: Way, ms: number): Promise<void> {
    queue.works -= 1
    if (way === 'at once') queue.atOnce -= 1
    beginNext(queue)
    if (way === 'one by one') {
      await rest(restWorks * ms)
      queue.isLaneBusy = false
      beginNext(queue)
    }
    if (queue.works === 0 && !queue.isLaneBusy) queues.delete(client)
  }

  return {
    async run(client, work) {
      const queue = queues.get(client) ?? {
        waiting: [],
        works: 0,
        atOnce: 0,
        pace: undefined,
        isLaneBusy: false,
      }
      queues.set(client, queue)
      queue.works += 1
      const { promise, resolve } = Promise.withResolvers<Way>()
      queue.waiting.push(resolve)
      beginNext(queue)
      const way = await promise
      const startedAt = now()
      try {
        return await work()
      } finally {
        void end(client, queue, way, now() - startedAt)
      }
    },
  }
}
