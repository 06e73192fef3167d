import { type Finding, ok, unknown, warning } from '@sekali/core/finding'
import type { Blocking, SubscriptionStatus } from '@sekali/store/subscription-types'
import { endpointFindings } from './endpoint-findings.ts'
import { listed } from './findings.ts'
import { oldestSecondsOf, type SubscriptionsNow } from './subscriptions-now.ts'

/** Workers that are there pull within seconds. */
const idleSecondsMax = 600

/** Undefined is what could not be read: that PostgreSQL is away is another finding. */
export function subscriptionFindings(now: SubscriptionsNow | undefined): Finding[] {
  if (now === undefined) return [unknown('subscriptions', 'how they are could not be read in time')]
  const { all, nowMs } = now
  return [
    blockedFinding(all),
    deadFinding(all),
    idleFinding(all, nowMs),
    pausedFinding(all),
    ...endpointFindings(now),
  ]
}

function blockedFinding(all: readonly SubscriptionStatus[]): Finding {
  const check = 'subscriptions.blocked'
  const texts = all.flatMap(({ name, blocked }) => blocked.map((one) => `${name} at ${blockingText(one)}`))
  if (texts.length === 0) return ok(check, 'none')
  return warning(
    check,
    `nothing goes on behind a dead letter: ${listed(texts)}`,
    'sekali dead-letter list --kind delivery names the letters: redrive them once the cause is mended, or discard them',
  )
}

const blockingText = ({ topic, source }: Blocking): string =>
  source === null ? `topic ${topic}` : `source ${source} of ${topic}`

function deadFinding(all: readonly SubscriptionStatus[]): Finding {
  const check = 'subscriptions.dead'
  const texts = countsOf(all, ({ dead }) => dead)
  if (texts.length === 0) return ok(check, 'none')
  return warning(
    check,
    `events that could not be done, or delivered, are dead letters: ${listed(texts)}`,
    'sekali dead-letter list --kind delivery tells why; redrive them once that is mended, or discard them',
  )
}

/** Whether somebody has events of it, or what comes again need not have been taken yet. */
function hasWorkers({ outstanding, retryDueAt }: SubscriptionStatus, nowMs: number): boolean {
  const isRecent = retryDueAt !== null && nowMs - Date.parse(retryDueAt) <= idleSecondsMax * 1_000
  return outstanding > 0 || isRecent
}

function idleFinding(all: readonly SubscriptionStatus[], nowMs: number): Finding {
  const check = 'subscriptions.idle'
  const idle = all.filter(
    (one) =>
      one.kind === 'pull' &&
      one.state === 'active' &&
      one.lag > 0 &&
      !hasWorkers(one, nowMs) &&
      one.blocked.length === 0 &&
      oldestSecondsOf(one, nowMs) > idleSecondsMax,
  )
  if (idle.length === 0) return ok(check, 'none')
  const texts = idle.map((one) => {
    const minutes = Math.round(oldestSecondsOf(one, nowMs) / 60)
    return `${one.name} has ${one.lag.toLocaleString('en-US')}, the oldest stored ${minutes} min ago`
  })
  return warning(
    check,
    `events wait and no worker has any: ${listed(texts)}`,
    'start workers, or see their logs; sekali subscription delete NAME if nobody needs it any more',
  )
}

function pausedFinding(all: readonly SubscriptionStatus[]): Finding {
  const check = 'subscriptions.paused'
  const names = all.filter(({ state }) => state === 'paused').map(({ name }) => name)
  if (names.length === 0) return ok(check, 'none')
  return warning(
    check,
    `nothing is handed out, or sent, of ${listed(names)}: nothing is lost, and what comes waits`,
    'sekali subscription resume NAME, once what it was paused for is over',
  )
}

/** Those that have any, the most first. */
const countsOf = (all: readonly SubscriptionStatus[], count: (one: SubscriptionStatus) => number): string[] =>
  all
    .filter((one) => count(one) > 0)
    .sort((a, b) => count(b) - count(a))
    .map((one) => `${one.name} ${count(one).toLocaleString('en-US')}`)
