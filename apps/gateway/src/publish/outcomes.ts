/**
 * Waits for what comes of events that were appended: until their topics are accounted for up to them, which
 * heads.ts tells, and then reads the outcomes, in one query at a time: what becomes due meanwhile is read in
 * the next. What is not known when the time is up, or cannot be read, is still queued: nothing is lost by not
 * knowing it.
 */
import { addAbortListener } from 'node:events'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { TopicName } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import { comparePositions, type Position } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { type Outcome, readOutcomes, type Sent } from '@sekali/store/outcomes'
import { type Budget, createBudget } from '../clients/budget.ts'
import type { Heads } from '../heads/heads.ts'

export interface Receipts {
  /** How many requests may wait, and for how many events together. */
  readonly requests: Budget
  readonly events: Budget
  /** The outcome of each, a moment after `ms` at the latest, or after `signal` is aborted. Never rejects. */
  wait(sent: readonly Sent[], ms: number, signal: AbortSignal): Promise<Outcome[]>
}

export interface ReceiptsDeps {
  readonly store: Store
  readonly heads: Heads
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

/** Requests that wait at a time: nearly all connections that the server takes. */
const requestsMax = 1_000
/**
 * Events that they wait for: each is held in memory until then, and a thousand batches would be five million.
 */
const eventsMax = 100_000
const refusal = 'too many wait for their outcome'
/** Events in one query. */
const readMax = limits.batchEventsMax
/** After a failed read. */
const readAgainMs = 250
/** Once the time is up a read may take so long: PostgreSQL may not answer at all for a while. */
const lastReadMs = 500

interface Due {
  readonly sent: readonly Sent[]
  readonly tell: (outcomes: Outcome[] | undefined) => void
}

export function createReceipts({ store, heads, log, signal: leaving }: ReceiptsDeps): Receipts {
  const due = new Set<Due>()
  let isReading = false

  /** One at a time, so that those who wait leave the pool's other connections to those who read. */
  async function readDue(): Promise<void> {
    if (isReading) return
    isReading = true
    for (await nextRound(); due.size > 0; await nextRound()) {
      const now = takeDue()
      const all = now.flatMap(({ sent }) => sent)
      const outcomes = await readOutcomes(store, all).catch((err: unknown) => {
        log.debug({ err }, 'outcomes could not be read')
        return undefined
      })
      let at = 0
      for (const { sent, tell } of now) {
        tell(outcomes?.slice(at, at + sent.length))
        at += sent.length
      }
    }
    isReading = false
  }

  function takeDue(): Due[] {
    const now: Due[] = []
    let count = 0
    for (const one of due) {
      count += one.sent.length
      if (count > readMax) break
      now.push(one)
      due.delete(one)
    }
    return now
  }

  /** `undefined` if they could not be read, or not in time. */
  async function read(sent: readonly Sent[], timeUp: AbortSignal): Promise<Outcome[] | undefined> {
    const { promise, resolve: tell } = Promise.withResolvers<Outcome[] | undefined>()
    using _late = addAbortListener(timeUp, () => void setTimeout(tell, lastReadMs, undefined).unref())
    const one = { sent, tell }
    due.add(one)
    void readDue()
    return await promise.finally(() => due.delete(one))
  }

  return {
    requests: createBudget(requestsMax, refusal),
    events: createBudget(eventsMax, refusal),

    async wait(sent, ms, signal) {
      const last = new Map<TopicName, Position>()
      for (const { topic, position } of sent) {
        const known = last.get(topic)
        if (known === undefined || comparePositions(known, position) < 0) last.set(topic, position)
      }
      const timeUp = AbortSignal.any([AbortSignal.timeout(ms), signal, leaving])
      const isReached = [...last].map(([topic, position]) =>
        heads.waitFor(topic, (head) => comparePositions(head.position, position) >= 0, timeUp),
      )
      await Promise.all(isReached)
      while (!signal.aborted) {
        const outcomes = await read(sent, timeUp)
        if (outcomes !== undefined) return outcomes
        if (timeUp.aborted) break
        await pause(readAgainMs, timeUp)
      }
      return sent.map(() => ({ status: 'queued' }))
    },
  }
}
