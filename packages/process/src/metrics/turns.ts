import { SekaliError } from '@sekali/core/errors'
import type { Metrics, Named } from './metrics.ts'

/** From a turn of one event to one that PostgreSQL or a definition holds up. */
const secondsBuckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const eventsBuckets = [1, 4, 16, 64, 256, 1_000, 4_000]

/** Why a turn failed, by the code of its error. */
const causes = ['broker_unavailable', 'store_unavailable', 'data_refused', 'other'] as const
type Cause = (typeof causes)[number]

export interface TurnMetrics {
  /** A transaction of one turn or several was committed. */
  readonly onTurn: (turn: { readonly seconds: number; readonly events: number }) => void
  readonly onFailure: (error: unknown) => void
}

/** Counts the turns of a process. `names` are of durations in seconds, of sizes in events, and of failures. */
export function addTurnMetrics(
  { histogram, counter }: Metrics,
  names: { readonly seconds: Named; readonly events: Named; readonly failures: Named },
): TurnMetrics {
  const onSeconds = histogram(names.seconds, secondsBuckets)
  const onEvents = histogram(names.events, eventsBuckets)
  const onCause = counter(names.failures, { name: 'cause', values: causes })
  return {
    onTurn: ({ seconds, events }) => {
      onSeconds(seconds)
      onEvents(events)
    },
    onFailure: (error) => onCause(causeOf(error)),
  }
}

/** That of the error at the bottom which has one: a turn's own only says that it failed. */
function causeOf(error: unknown): Cause {
  const below = error instanceof Error && error.cause !== undefined ? causeOf(error.cause) : 'other'
  if (below !== 'other' || !(error instanceof SekaliError)) return below
  return causes.find((cause) => cause === error.code) ?? 'other'
}
