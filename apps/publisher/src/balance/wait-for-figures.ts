import type { Client } from '@sekali/client/client'
import { wait } from '@sekali/client/retry'
import { SekaliError } from '@sekali/core/errors'
import { type KnownByTopic, knownFigures } from './figures.ts'

export interface WaitOptions {
  readonly deadlineMs: number
  readonly pollMs?: number
  readonly signal: AbortSignal
  readonly onFigures?: (figures: KnownByTopic) => void
}

export interface Waited {
  /** The last figures that were known; undefined if they never were. */
  readonly figures: KnownByTopic | undefined
  readonly inTime: boolean
}

/**
 * Reads /stats until the topics' figures are as wanted, or the deadline has passed. Unknown figures, and a gateway that
 * does not answer, are waited for in the same way.
 */
export async function waitForFigures(
  client: Client,
  topics: readonly string[],
  isReached: (figures: KnownByTopic) => boolean,
  { deadlineMs, pollMs = 100, signal, onFigures }: WaitOptions,
): Promise<Waited> {
  const endsAt = performance.now() + deadlineMs
  let figures: KnownByTopic | undefined
  while (performance.now() < endsAt) {
    figures = (await readNow(client, topics, signal)) ?? figures
    if (figures !== undefined) {
      onFigures?.(figures)
      if (isReached(figures)) return { figures, inTime: true }
    }
    await wait(pollMs, signal)
  }
  return { figures, inTime: false }
}

async function readNow(client: Client, topics: readonly string[], signal: AbortSignal) {
  try {
    return knownFigures(await client.stats({ signal }), topics)
  } catch (error) {
    if (error instanceof SekaliError && error.retryable) return undefined
    throw error
  }
}

/** Whether everything that Redis has taken of these topics is accounted for. */
export function isIdle(figures: KnownByTopic): boolean {
  return [...figures.values()].every((known) => known.in_flight === 0)
}
