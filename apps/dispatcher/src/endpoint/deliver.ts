/** Sends events that were handed out in one request, and says what is to be written down of them. */
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
  items: readonly PushedEvent[],
  kind: 'event' | 'probe',
): Promise<Outcome> {
  const beganAt = performance.now()
  const { url, timeoutSeconds, retrySeconds } = target
  const [{ event, attempt: number }] = items as [PushedEvent]
  try {
    const outgoing = requestOf(items, target, signing, Date.now())
    at('sending')
    const timeoutMs = timeoutSeconds * 1_000
    const context = { line, url, timeoutMs, retrySeconds, events: items.length, signal: cut }
    const attempted = await attempt(context, outgoing, kind, number)
    at('answered')
    if (attempted === undefined) return { ...tokensOf(items), do: 'release' }
    const { state, durationMs } = attempted.report
    metrics.onAttempt(state, durationMs / 1_000)
    return { ...outcomeOf(items, kind, attempted), beganAt }
  } catch (error) {
    const about = { subscription: target.name, topic: event.topic, seq: event.seq, events: items.length }
    log.error({ ...about, err: error }, 'event could not be sent')
    return { ...tokensOf(items), do: 'release' }
  }
}

const placeOf = ({ topicId, event }: PushedEvent) => ({ topicId, epoch: event.epoch ?? 1, seq: event.seq })

function tokensOf(items: readonly PushedEvent[]): Pick<Outcome, 'token' | 'also'> {
  const [{ token }, ...others] = items as [PushedEvent, ...PushedEvent[]]
  if (others.length === 0) return { token }
  return { token, also: others.map((item) => ({ token: item.token, ...placeOf(item) })) }
}

function outcomeOf(
  items: readonly PushedEvent[],
  kind: 'event' | 'probe',
  { report, delaySeconds }: Attempted,
): Outcome {
  const [first] = items as [PushedEvent]
  const place = { ...placeOf(first), attempt: first.attempt, ageMs: 0 }
  const about = { ...tokensOf(items), report: { ...report, ...place } }
  if (report.state === 'delivered') return { ...about, do: 'ack' }
  if (kind === 'probe') return { ...about, do: 'release' }
  return { ...about, do: 'nak', delaySeconds, reason: report.error ?? undefined }
}
