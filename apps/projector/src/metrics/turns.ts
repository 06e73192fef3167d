import type { Metrics } from '@sekali/process/metrics'
import { addTurnMetrics, type TurnMetrics } from '@sekali/process/turn-metrics'

export const addProjectorMetrics = (metrics: Metrics): TurnMetrics =>
  addTurnMetrics(metrics, {
    seconds: ['sekali_projection_turn_duration_seconds', "How long a projection's turn took."],
    events: ['sekali_projection_turn_events', 'How many events it folded.'],
    failures: [
      'sekali_projection_turn_failures_total',
      'Turns of projections that failed and are tried again, by the cause.',
    ],
  })
