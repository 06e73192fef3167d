/**
 * Waits for the receipts of events that were appended. First their topics' positions must have passed them, which the
 * heads report; then the outcomes are read. What is not known when the time is up, or cannot be read, is still
 * `queued`: nothing is lost by not knowing it.
 */
import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Outcome, Sent } from '@sekali/store/outcomes'
import { type Budget, createBudget } from '../clients/budget.ts'
import type { Heads } from '../heads/heads.ts'
import { createOutcomeReads } from './outcome-reads.ts'

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
/** Events that they wait for. Each is held until its receipt; a thousand batches would be five million. */
const eventsMax = 100_000
const tooMany = 'too many wait for their outcome'
/** Between a failed read and the next. */
const readAgainMs = 250

export function createReceipts({ store, heads, log, signal: leaving }: ReceiptsDeps): Receipts {
  const readOutcomes = createOutcomeReads(store, log)
  return {
    requests: createBudget(requestsMax, tooMany),
    events: createBudget(eventsMax, tooMany),

    async wait(sent, ms, signal) {
      const timeUp = AbortSignal.any([AbortSignal.timeout(ms), signal, leaving])
      const isAccountedFor = [...lastPositions(sent)].map(([topic, position]) =>
        heads.waitFor(topic, (head) => comparePositions(head.position, position) >= 0, timeUp),
      )
      await Promise.all(isAccountedFor)
      while (!signal.aborted) {
        const outcomes = await readOutcomes(sent, timeUp)
        if (outcomes !== undefined) return outcomes
        if (timeUp.aborted) break
        await pause(readAgainMs, timeUp)
      }
      return sent.map(() => ({ status: 'queued' }))
    },
  }
}

function lastPositions(sent: readonly Sent[]): ReadonlyMap<TopicName, Position> {
  const last = new Map<TopicName, Position>()
  for (const { topic, position } of sent) {
    const known = last.get(topic)
    if (known === undefined || comparePositions(known, position) < 0) last.set(topic, position)
  }
  return last
}
