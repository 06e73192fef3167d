/** Sends events that were handed out in one request, and says what is to be written down of them. */
import type { Logger } from '@sekali/process/log'
import type { PushTarget } from '@sekali/store/push-dispatch'
import type { PushedEvent } from '@sekali/store/push-types'
import type { DispatchMetrics } from '../metrics/attempts.ts'
import { type Attempted, attempt } from '../send/attempt.ts'
import type { Line } from '../send/post.ts'
import { type Outgoing, requestOf, type Signing } from '../send/request.ts'
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

/** What is left of the events of a request while it is on its way: their payloads would be held as often as there are requests. */
interface Sent {
  readonly tokens: Pick<Outcome, 'token' | 'also'>
  readonly place: ReturnType<typeof placeOf> & { readonly attempt: number; readonly ageMs: number }
  readonly about: object
}

type Kind = 'event' | 'probe'

/** Never rejects. What could not be sent for a reason of our own is given back, and counts as no attempt. */
export function deliver(
  context: DeliveryContext,
  items: readonly PushedEvent[],
  kind: Kind,
): Promise<Outcome> {
  const { target, signing, log } = context
  const [first] = items as [PushedEvent]
  const { topic, seq } = first.event
  const sent: Sent = {
    tokens: tokensOf(items),
    place: { ...placeOf(first), attempt: first.attempt, ageMs: 0 },
    about: { subscription: target.name, topic, seq, events: items.length },
  }
  try {
    return send(context, requestOf(items, target, signing, Date.now()), items.length, sent, kind)
  } catch (error) {
    log.error({ ...sent.about, err: error }, 'event could not be sent')
    return Promise.resolve({ ...sent.tokens, do: 'release' })
  }
}

async function send(
  { target, line, log, metrics, at, cut }: DeliveryContext,
  outgoing: Outgoing,
  events: number,
  sent: Sent,
  kind: Kind,
): Promise<Outcome> {
  const beganAt = performance.now()
  const { url, timeoutSeconds, retrySeconds } = target
  try {
    at('sending')
    const context = { line, url, timeoutMs: timeoutSeconds * 1_000, retrySeconds, events, signal: cut }
    const attempted = await attempt(context, outgoing, kind, sent.place.attempt)
    at('answered')
    if (attempted === undefined) return { ...sent.tokens, do: 'release' }
    const { state, durationMs } = attempted.report
    metrics.onAttempt(state, durationMs / 1_000)
    return { ...outcomeOf(sent, kind, attempted), beganAt }
  } catch (error) {
    log.error({ ...sent.about, err: error }, 'event could not be sent')
    return { ...sent.tokens, do: 'release' }
  }
}

const placeOf = ({ topicId, event }: PushedEvent) => ({ topicId, epoch: event.epoch ?? 1, seq: event.seq })

function tokensOf(items: readonly PushedEvent[]): Pick<Outcome, 'token' | 'also'> {
  const [{ token }, ...others] = items as [PushedEvent, ...PushedEvent[]]
  if (others.length === 0) return { token }
  return { token, also: others.map((item) => ({ token: item.token, ...placeOf(item) })) }
}

function outcomeOf({ tokens, place }: Sent, kind: Kind, { report, delaySeconds }: Attempted): Outcome {
  const about = { ...tokens, report: { ...report, ...place } }
  if (report.state === 'delivered') return { ...about, do: 'ack' }
  if (kind === 'probe') return { ...about, do: 'release' }
  return { ...about, do: 'nak', delaySeconds, reason: report.error ?? undefined }
}
