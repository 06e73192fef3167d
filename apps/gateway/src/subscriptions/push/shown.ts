/** Endpoints, their secrets and attempts, as answers have them. No secret is among what they are made of. */
import type { Attempt, Endpoint, Secret } from '@sekali/store/push-types'
import type { SubscriptionStatus } from '@sekali/store/subscription-types'
import { shownShape, shownStatus } from '../shown.ts'

export interface Success {
  readonly delivered: number
  readonly failed: number
}

export function shownPush(one: SubscriptionStatus, endpoint: Endpoint, success: Success | undefined) {
  return {
    ...shownShape(one),
    url: endpoint.url,
    header_names: endpoint.headerNames,
    concurrency: endpoint.concurrency,
    rate_per_s: endpoint.ratePerSecond,
    timeout_s: endpoint.timeoutSeconds,
    body: endpoint.body,
    batch_max: endpoint.batchMax,
    retry_s: one.backoffSeconds,
    on_exhausted: one.onExhausted,
    state: one.state === 'paused' ? ('paused' as const) : endpoint.state,
    why: endpoint.why,
    state_since: endpoint.since,
    failures: endpoint.failures,
    failing_since: endpoint.failingSince,
    held_until: endpoint.heldUntil,
    next_probe_at: endpoint.probeAt,
    success_rate: rateOf(success),
    ...shownStatus(one),
  }
}

/** Null where nothing was tried: nobody knows then. */
function rateOf({ delivered, failed }: Success = { delivered: 0, failed: 0 }): number | null {
  const all = delivered + failed
  return all === 0 ? null : delivered / all
}

export const shownSecret = ({ id, createdAt, createdBy, expiresAt }: Secret) => ({
  id,
  created_at: createdAt,
  created_by: createdBy,
  expires_at: expiresAt,
})

export const shownAttempt = ({ durationMs, retryInSeconds, epoch, ...one }: Attempt) => ({
  id: one.id,
  at: one.at,
  kind: one.kind,
  topic: one.topic,
  ...(epoch !== null && epoch > 1 && { epoch }),
  seq: one.seq,
  attempt: one.attempt,
  state: one.state,
  status: one.status,
  // Beside the status it would say the same twice.
  error: one.error === `status ${one.status}` ? null : one.error,
  duration_ms: durationMs,
  request: one.request,
  response: one.response,
  retry_in_s: retryInSeconds,
})
