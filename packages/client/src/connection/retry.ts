import { SekaliError } from '@sekali/core/errors'
import { timerMsMax } from '../arguments.ts'
import { Unavailable } from '../errors.ts'
import { delayMs } from './backoff.ts'

export interface RetryLimits {
  /** One request, from sending it to the end of its answer. */
  readonly requestMs?: number
  /** All tries together, the waits between them included. */
  readonly totalMs?: number
  /** Upper bound of the wait before the first retry; each further one doubles it. */
  readonly delayFirstMs?: number
  /** Upper bound of every wait, apart from what a Retry-After adds. */
  readonly delayMaxMs?: number
}

export const retryDefaults = {
  requestMs: 10_000,
  totalMs: 60_000,
  delayFirstMs: 100,
  delayMaxMs: 5_000,
} as const satisfies RetryLimits

export interface Retry {
  /** 1 for the first retry. */
  readonly retry: number
  readonly delayMs: number
  readonly error: SekaliError
}

export interface CallOptions {
  /** Ends the call at once, a wait between two tries included; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Called before each wait. */
  readonly onRetry?: ((retry: Retry) => void) | undefined
}

// A try with less time than this would end in a timeout of its own, which hides what was answered before.
const attemptMinMs = 100

/**
 * Tries until it succeeds, fails for good, or the time is up; then it throws the last error.
 * What is worth another try is said by the error itself (`retryable`).
 */
export async function withRetries<T>(
  attempt: (timeoutMs: number) => Promise<T>,
  limits: RetryLimits = {},
  { signal, onRetry }: CallOptions = {},
): Promise<T> {
  const { requestMs, totalMs, delayFirstMs, delayMaxMs } = { ...retryDefaults, ...limits }
  const endsAt = performance.now() + totalMs
  // Ended by a success, by an error that is not retryable, by `totalMs`, or by the signal.
  for (let retry = 1; ; retry++) {
    try {
      return await attempt(Math.min(requestMs, Math.max(attemptMinMs, endsAt - performance.now())))
    } catch (error) {
      if (!isRetryable(error)) throw error
      const retryAfterMs = error instanceof Unavailable ? error.retryAfterMs : undefined
      const waitMs = delayMs(retry, { delayFirstMs, delayMaxMs }, retryAfterMs)
      // To sleep first and give up then would only make the caller learn it later.
      if (performance.now() + waitMs + attemptMinMs > endsAt) throw error
      onRetry?.({ retry, delayMs: waitMs, error })
      await wait(waitMs, signal)
    }
  }
}

export const isRetryable = (error: unknown): error is SekaliError =>
  error instanceof SekaliError && error.retryable

/** Rejects with the signal's reason as soon as it aborts. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    // A longer wait than a timer can take, of a Retry-After in days for instance, would be none.
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      },
      Math.min(ms, timerMsMax),
    )
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
