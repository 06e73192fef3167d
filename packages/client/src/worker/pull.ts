import { subscriptionLimits } from '@sekali/core/subscription'
import { parseRetryAfter } from '../connection/backoff.ts'
import { type Connection, call } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import { type CallOptions, retryDefaults } from '../connection/retry.ts'
import { Refused } from '../errors.ts'

export interface PullOptions extends Pick<CallOptions, 'onRetry'> {
  readonly worker?: string | undefined
  readonly bytesMax?: number | undefined
}

/** What came of a pull. */
export interface PullOutcome {
  /** Undefined if there is nothing. */
  readonly answer: Answer | undefined
  /** If there is nothing: how long to wait until the next one. */
  readonly againMs: number
}

/** How long the gateway may wait for something to hand out. */
const waitSeconds = 20
/** Where a gateway does not say when to ask again: of a paused subscription, and of one without events. */
const pausedMs = 5_000
const emptyMs = 1_000

/**
 * Asks for as many events as there is room for. The first pull is tried as often as every call: it shows whether there is
 * anything to work for. Later ones are tried for ever, as the connections of a tail are.
 */
export function createPull(
  connection: Connection,
  path: string,
  { worker, bytesMax, onRetry }: PullOptions,
): (room: number, signal: AbortSignal) => Promise<PullOutcome> {
  const { requestMs = retryDefaults.requestMs, totalMs = retryDefaults.totalMs } = connection.retry
  const waitMs = waitSeconds * 1_000
  let hasPulled = false
  let pauses = 0
  return async (room, signal) => {
    const max = Math.min(room, subscriptionLimits.pullEventsMax)
    const body = JSON.stringify({ max, bytes_max: bytesMax, wait_s: waitSeconds, worker })
    const limits = {
      ...connection.retry,
      requestMs: requestMs + waitMs,
      totalMs: hasPulled ? Infinity : totalMs + waitMs,
    }
    const begun = performance.now()
    try {
      const request = { method: 'POST', body } as const
      const answer = await call(connection, `${path}/pull`, request, { signal, onRetry }, limits)
      hasPulled = true
      pauses = 0
      // After a long poll at once; what came back without a wait must not become a loop.
      const hasWaited = performance.now() - begun > waitMs / 2
      const againMs = hasWaited ? 0 : (parseRetryAfter(answer.header('retry-after')) ?? emptyMs)
      return { answer: answer.status === 204 ? undefined : answer, againMs }
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'subscription_paused')) throw error
      const againMs = error.retryAfterMs ?? pausedMs
      pauses += 1
      onRetry?.({ retry: pauses, delayMs: againMs, error })
      return { answer: undefined, againMs }
    }
  }
}
