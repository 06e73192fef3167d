import type { Metrics } from '@sekali/process/metrics'
import type { PushTarget } from '@sekali/store/push-dispatch'

const outcomes = ['delivered', 'failed', 'test'] as const
const states = ['active', 'degraded', 'disabled', 'paused'] as const
const causes = ['store_unavailable', 'other'] as const
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60]

export interface DispatchMetrics {
  onAttempt(outcome: (typeof outcomes)[number], seconds: number): void
  onTurnFailure(error: unknown): void
}

export interface DispatchNow {
  readonly sending: () => number
  /** The endpoints that this process sees to. */
  readonly targets: () => Iterable<Pick<PushTarget, 'state'>>
}

/** Counts what is sent. A label is never a subscription's: their number is a client's to choose. */
export function addDispatchMetrics(metrics: Metrics, { sending, targets }: DispatchNow): DispatchMetrics {
  const onOutcome = metrics.counter(
    [
      'sekali_dispatcher_attempts_total',
      'Requests to endpoints of push subscriptions, by what came of them.',
    ],
    { name: 'outcome', values: outcomes },
  )
  const onSeconds = metrics.histogram(
    ['sekali_dispatcher_attempt_seconds', 'How long an endpoint took to answer, or not to.'],
    secondsBuckets,
  )
  const onFailure = metrics.counter(
    [
      'sekali_dispatcher_turn_failures_total',
      'Turns of deliveries that failed and are tried again, by the cause.',
    ],
    { name: 'cause', values: causes },
  )
  metrics.read('gauge', ['sekali_dispatcher_sending', 'Requests that are on their way.'], sending)
  metrics.read(
    'gauge',
    ['sekali_dispatcher_endpoints', 'Endpoints that this process sees to, by their state.'],
    () => {
      const counts = new Map<string, number>(states.map((state) => [state, 0]))
      for (const { state } of targets()) counts.set(state, (counts.get(state) ?? 0) + 1)
      return counts.entries().map(([state, value]) => ({ labels: { state }, value }))
    },
    ['state'],
  )
  return {
    onAttempt(outcome, seconds) {
      onOutcome(outcome)
      onSeconds(seconds)
    },
    onTurnFailure(error) {
      const { code } = error as { code?: unknown }
      onFailure(code === 'store_unavailable' ? code : 'other')
    },
  }
}
