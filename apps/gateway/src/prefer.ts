/** Seconds that a client may have us wait. */
const waitSecondsMax = 60

/**
 * How many seconds a client is ready to wait for the outcome (RFC 7240, 4.3); undefined without that preference. One
 * that makes no sense is as good as none (RFC 7240, 2).
 */
export function preferredWait(prefer: string | readonly string[] | undefined): number | undefined {
  if (prefer === undefined) return undefined
  for (const preference of String(prefer).split(/[,;]/)) {
    const seconds = /^\s*wait\s*=\s*"?(\d+)"?\s*$/i.exec(preference)?.[1]
    if (seconds !== undefined) return Math.min(Number(seconds), waitSecondsMax)
  }
  return undefined
}

/** Whether a client wants to be told how far its replay is, and when it is complete. An empty value is none (RFC 7240, 2). */
export const prefersProgress = (prefer: string | undefined): boolean =>
  (prefer ?? '')
    .split(',')
    .some((preference) => /^\s*progress\s*(?:=\s*(?:"")?\s*)?(?:;|$)/i.test(preference))
