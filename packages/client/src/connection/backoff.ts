export interface Backoff {
  /** Upper bound of the first wait; each further one doubles it. */
  readonly delayFirstMs: number
  /** Upper bound of every wait. */
  readonly delayMaxMs: number
}

/**
 * How long to wait before retry number `retry` (1, 2, 3 …): exponential backoff with full jitter, after what
 * the server asked for.
 *
 * Full jitter (anything from 0 to the bound) spreads the clients that one outage made fail at the same time;
 * a fixed wait would bring them all back at the same time too. For the same reason the jitter is added to
 * Retry-After, which tells everybody the same number.
 */
export function delayMs(
  retry: number,
  { delayFirstMs, delayMaxMs }: Backoff,
  retryAfterMs = 0,
  random: () => number = Math.random,
): number {
  return retryAfterMs + random() * Math.min(delayMaxMs, delayFirstMs * 2 ** (retry - 1))
}

/** Retry-After in either of its two forms (RFC 9110, 10.2.3): seconds, or a date. */
export function parseRetryAfter(text: string | null, now: number = Date.now()): number | undefined {
  if (text === null) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
