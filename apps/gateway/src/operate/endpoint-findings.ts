/** What the doctor finds of subscriptions whose events are sent. */
import { type Finding, ok, problem, warning } from '@sekali/core/finding'
import type { Endpoint } from '@sekali/store/push-types'
import type { SubscriptionStatus } from '@sekali/store/subscription-types'
import { listed } from './findings.ts'
import { oldestSecondsOf, type SubscriptionsNow } from './subscriptions-now.ts'

/** A dispatcher that keeps up has sent an event within seconds. */
const behindSecondsMax = 600

interface Pushed {
  readonly one: SubscriptionStatus
  readonly endpoint: Endpoint
}

export function endpointFindings({ all, endpoints, dispatchers, nowMs }: SubscriptionsNow): Finding[] {
  const pushed = all.flatMap((one): Pushed[] => {
    const endpoint = endpoints.get(one.id)
    return endpoint === undefined ? [] : [{ one, endpoint }]
  })
  return [
    dispatchersFinding(pushed, dispatchers),
    disabledFinding(pushed),
    failingFinding(pushed),
    behindFinding(pushed, nowMs),
  ]
}

function dispatchersFinding(pushed: readonly Pushed[], dispatchers: number): Finding {
  const check = 'subscriptions.dispatchers'
  if (dispatchers > 0) return ok(check, `${dispatchers} at work`)
  if (pushed.length === 0) return ok(check, 'none, and nothing is to be sent')
  return problem(
    check,
    `no dispatcher is at work: nothing is sent of ${listed(namesOf(pushed))}, and nothing is lost`,
    'start one: npm start -- --dispatchers 1, or the service dispatcher of docker compose; its log says why it ended',
  )
}

const causes: Readonly<Record<NonNullable<Endpoint['why']>, string>> = {
  gone: 'answered 410',
  failing: 'has failed for days',
  exhausted: 'has a dead letter, and on_exhausted is stop',
}

function disabledFinding(pushed: readonly Pushed[]): Finding {
  const check = 'subscriptions.disabled'
  const disabled = pushed.filter(({ endpoint }) => endpoint.state === 'disabled')
  if (disabled.length === 0) return ok(check, 'none')
  const texts = disabled.map(
    ({ one, endpoint: { why } }) => `${one.name}${why === null ? '' : `, which ${causes[why]}`}`,
  )
  return warning(
    check,
    `nothing is sent to ${listed(texts)}: nothing is lost, and what comes waits`,
    'sekali subscription test NAME shows what it answers; sekali subscription resume NAME, once that is mended',
  )
}

function failingFinding(pushed: readonly Pushed[]): Finding {
  const check = 'subscriptions.failing'
  const failing = pushed.filter(
    ({ one, endpoint }) => one.state === 'active' && endpoint.state === 'degraded',
  )
  if (failing.length === 0) return ok(check, 'none')
  const texts = failing.map(
    ({ one, endpoint: { failures } }) => `${one.name}, ${failures.toLocaleString('en-US')} in a row`,
  )
  return warning(
    check,
    `endpoints answer with failures alone: ${listed(texts)}`,
    'sekali subscription attempts NAME --state failed shows what they answer',
  )
}

function behindFinding(pushed: readonly Pushed[], nowMs: number): Finding {
  const check = 'subscriptions.behind'
  const behind = pushed.filter(
    ({ one, endpoint }) =>
      one.state === 'active' &&
      endpoint.state === 'active' &&
      // What waits for its retry may be hours old: it is not what holds the others up.
      one.lag > one.retrying + one.outstanding &&
      one.blocked.length === 0 &&
      oldestSecondsOf(one, nowMs) > behindSecondsMax,
  )
  if (behind.length === 0) return ok(check, 'none')
  const texts = behind.map(({ one }) => {
    const minutes = Math.round(oldestSecondsOf(one, nowMs) / 60)
    return `${one.name} has ${one.lag.toLocaleString('en-US')}, the oldest stored ${minutes} min ago`
  })
  return warning(
    check,
    `events wait to be sent: ${listed(texts)}`,
    'see whether it catches up (sekali subscription show NAME); a higher concurrency, or more dispatchers, send faster',
  )
}

const namesOf = (pushed: readonly Pushed[]): string[] => pushed.map(({ one }) => one.name)
