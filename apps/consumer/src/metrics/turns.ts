import type { ReclaimCause } from '@sekali/broker/account'
import { reclaimCauses } from '@sekali/broker/account'
import type { Metrics } from '@sekali/process/metrics'
import { addTurnMetrics, type TurnMetrics } from '@sekali/process/turn-metrics'

export interface ConsumerMetrics extends TurnMetrics {
  readonly onReclaim: (cause: ReclaimCause) => void
  /** Packs with these ids were committed at this time, in milliseconds since 1970. */
  readonly onStored: (packs: readonly string[], nowMs: number) => void
}

const storedBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function addConsumerMetrics(metrics: Metrics): ConsumerMetrics {
  const { counter, histogram } = metrics
  const onAge = histogram(
    [
      'sekali_publish_to_stored_seconds',
      'From the moment at which Redis took a pack of events (by its clock) to the commit that stored it.',
    ],
    storedBuckets,
  )
  const reclaims = [
    'sekali_reclaims_total',
    'How often entries that were delivered and not accounted for were taken over, by what showed it.',
  ] as const
  return {
    ...addTurnMetrics(metrics, {
      seconds: ['sekali_turn_duration_seconds', 'How long a transaction of turns took.'],
      events: ['sekali_turn_events', 'How many events it accounted for.'],
      failures: ['sekali_turn_failures_total', 'Turns that failed and are tried again, by the cause.'],
    }),
    onReclaim: counter(reclaims, { name: 'cause', values: reclaimCauses }),
    onStored: (packs, nowMs) => {
      // An id begins with the time. Clocks of two machines may differ: nothing is stored before it came.
      for (const id of packs) onAge(Math.max(0, nowMs - Number.parseInt(id, 10)) / 1_000)
    },
  }
}
