/** What may be shown as how things are now. The page knows of a fault before its figures are read anew. */
import { signal } from '@preact/signals'
import { type Polled, pollMs } from './poll.ts'

/** Since when a server is away, or the gateway itself: ms since 1970. undefined while all answer. */
export const awaySince = signal<number | undefined>(undefined)

/** Two polls, and their answers. */
const staleMs = 3 * pollMs

/**
 * The answer, unless it is of another time: from before a server went away, or too long ago. An answer from since then
 * says by itself what the gateway does not know.
 */
export function currentOf<T>({ data, at }: Pick<Polled<T>, 'data' | 'at'>, maxMs = staleMs): T | undefined {
  // A poll that fails draws the page anew
  if (at === undefined || Date.now() - at > maxMs) return undefined
  return awaySince.value === undefined || at >= awaySince.value ? data : undefined
}
