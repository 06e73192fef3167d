import { waitUntil } from '@sekali/servers/wait-until'

const stepMs = 20

/** Polls `isSo` every 20 ms until it is true. Rejects when `signal` is aborted, or after `deadlineMs`. */
export async function until(
  what: string,
  signal: AbortSignal,
  isSo: () => Promise<boolean>,
  deadlineMs = 120_000,
): Promise<void> {
  if (await waitUntil(isSo, deadlineMs, { stepMs, signal })) return
  signal.throwIfAborted()
  throw new Error(`${what}: not within ${deadlineMs / 1_000} s`)
}
