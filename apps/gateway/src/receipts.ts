/**
 * Waits for what comes of events that were appended: until their topics are accounted for up to them, which heads.ts
 * tells, and then reads the outcomes, in one query at a time: what becomes due meanwhile is read in the next. What is
 * not known when the time is up, or cannot be read, is still queued: nothing is lost by not knowing it.
 */
import { Overloaded } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { type Outcome, readOutcomes, type Sent } from '@sekali/store/outcomes'
import type { Heads } from './heads.ts'

export interface Receipts {
  /** Room for a request that waits for so many events, given back with its scope. Throws `Overloaded`. */
  takeSlots(events: number): Disposable
  /** The outcome of each, after at most `ms`, or as soon as `signal` is aborted. Never rejects. */
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
/** Events that they wait for: each is held in memory until then, and a thousand batches would be five million. */
const eventsMax = 100_000
/** Events in one query; a batch may bring more on its own. */
const readMax = 5_000
/** After a failed read. */
const readAgainMs = 250

export function createReceipts({ store, heads, log, signal: leaving }: ReceiptsDeps): Receipts {
  let requests = 0
  let events = 0
  let isReading = false
  const due: { readonly sent: readonly Sent[]; readonly tell: (outcomes: Outcome[] | undefined) => void }[] =
    []

  /** One at a time, so that those who wait leave the pool's other connections to those who read. */
  async function readDue(): Promise<void> {
    let count = 0
    const end = due.findIndex(({ sent }, index) => {
      count += sent.length
      return index > 0 && count > readMax
    })
    const now = due.splice(0, end === -1 ? due.length : end)
    const all = now.flatMap(({ sent }) => sent)
    let outcomes: Outcome[] | undefined
    try {
      outcomes = await readOutcomes(store, all)
    } catch (err) {
      log.debug({ err }, 'outcomes could not be read')
    }
    let at = 0
    for (const { sent, tell } of now) {
      tell(outcomes?.slice(at, at + sent.length))
      at += sent.length
    }
    isReading = due.length > 0
    if (isReading) setImmediate(readDue)
  }

  const read = (sent: readonly Sent[]) =>
    new Promise<Outcome[] | undefined>((tell) => {
      due.push({ sent, tell })
      if (!isReading) setImmediate(readDue)
      isReading = true
    })

  return {
    takeSlots(count) {
      if (requests >= requestsMax || events + count > eventsMax) {
        throw new Overloaded('too many wait for their outcome')
      }
      requests += 1
      events += count
      return {
        [Symbol.dispose]() {
          requests -= 1
          events -= count
        },
      }
    },

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
        const outcomes = await read(sent)
        if (outcomes !== undefined) return outcomes
        if (timeUp.aborted) break
        await pause(readAgainMs, timeUp)
      }
      return sent.map(() => ({ status: 'queued' }))
    },
  }
}
