import { setTimeout as sleep } from 'node:timers/promises'

const firstMs = 50
/** Short enough that service is back within seconds of the fault's end. */
const longestMs = 2_000

/** How long to wait after the n-th failure in a row: doubling, with full jitter so that processes do not march in step. */
export const backoff = (failures: number, random: () => number = Math.random): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures, 16)) * random()

/** Waits, but not beyond the signal. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined) // only the signal rejects it
