/** When an event is tried again. */

/** Statuses with which an endpoint says that it is busy, and may say for how long. */
const busy = new Set([429, 502, 503, 504])

export const isBusy = (status: number | undefined): boolean => status !== undefined && busy.has(status)

/** Nobody is left alone for longer; and PostgreSQL has the seconds as an integer, which a time in the year 9999 does not fit. */
const retryAfterSecondsMax = 2 * 86_400

/** Seconds that a `Retry-After` asks for, two days at most: a number of them, or a time; `undefined` for neither. */
export function retryAfterOf(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : secondsUntil(header, nowMs)
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), retryAfterSecondsMax) : undefined
}

const secondsUntil = (time: string, nowMs: number): number =>
  /GMT$/.test(time) ? Math.ceil((Date.parse(time) - nowMs) / 1_000) : Number.NaN

/** Of the wait, either way: so that what failed together does not come back together. */
const jitter = 0.2

/**
 * Whole seconds before the next attempt; `undefined` after the last one. What the endpoint asks for is honoured between the step
 * and twice the step, and not undercut.
 */
export function delayAfter(
  attempt: number,
  retrySeconds: readonly number[],
  retryAfterSeconds: number | undefined,
  random: () => number = Math.random,
): number | undefined {
  const step = retrySeconds[attempt - 1]
  if (step === undefined) return undefined
  if (retryAfterSeconds === undefined) return Math.round(step * (1 - jitter + random() * 2 * jitter))
  const asked = Math.min(Math.max(retryAfterSeconds, step), 2 * step)
  return Math.round(Math.min(asked * (1 + random() * jitter), 2 * step))
}
