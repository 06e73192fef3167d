/** Sends one event that was handed out, and says what is to be written down of it. */
import type { Logger } from '@sekali/process/log'
import type { PushTarget } from '@sekali/store/push-dispatch'
import type { PushedEvent } from '@sekali/store/push-types'
import type { DispatchMetrics } from '../metrics/attempts.ts'
import { type Attempted, attempt } from '../send/attempt.ts'
import type { Line } from '../send/post.ts'
import { requestOf, type Signing } from '../send/request.ts'
import type { Outcome } from './outcomes.ts'

/** Where a test may stop a dispatcher dead; see process/start/failpoint.ts. */
export type DispatchPoint = 'handed_out' | 'sending' | 'answered' | 'written'

export interface DeliveryContext {
  readonly target: PushTarget
  readonly line: Line
  readonly signing: Signing
  readonly log: Logger
  readonly metrics: DispatchMetrics
  readonly at: (point: DispatchPoint) => void
  /** Aborted when what is on its way cannot be waited for any longer. */
  readonly cut: AbortSignal
}

/** Never rejects. What could not be sent for a reason of our own is given back, and counts as no attempt. */
export async function deliver(
  { target, line, signing, log, metrics, at, cut }: DeliveryContext,
  item: PushedEvent,
  kind: 'event' | 'probe',
): Promise<Outcome> {
  const beganAt = performance.now()
  const { url, timeoutSeconds, retrySeconds, body } = target
  try {
    const outgoing = requestOf(item, body, signing, Date.now())
    at('sending')
    const context = { line, url, timeoutMs: timeoutSeconds * 1_000, retrySeconds, signal: cut }
    const attempted = await attempt(context, outgoing, kind, item.attempt)
    at('answered')
    if (attempted === undefined) return { token: item.token, do: 'release' }
    const { state, durationMs } = attempted.report
    metrics.onAttempt(state, durationMs / 1_000)
    return { ...outcomeOf(item, kind, attempted), beganAt }
  } catch (error) {
    const { topic, seq } = item.event
    log.error({ subscription: target.name, topic, seq, err: error }, 'event could not be sent')
    return { token: item.token, do: 'release' }
  }
}

function outcomeOf(item: PushedEvent, kind: 'event' | 'probe', { report, delaySeconds }: Attempted): Outcome {
  const { token, topicId, attempt, event } = item
  const place = { topicId, epoch: event.epoch ?? 1, seq: event.seq, attempt, ageMs: 0 }
  const about = { token, report: { ...report, ...place } }
  if (report.state === 'delivered') return { ...about, do: 'ack' }
  if (kind === 'probe') return { ...about, do: 'release' }
  return { ...about, do: 'nak', delaySeconds, reason: report.error ?? undefined }
}
