/**
 * Whether endpoints were sent every event, signed and in order, and nobody was sent what is not theirs. What was sent, and what
 * was answered, follows from what receivers noted, whatever the system says of it; what is not settled is asked of PostgreSQL.
 */
import { type LogRow, seenOf } from '../clients/log.ts'
import type { Sent } from '../receivers/notes.ts'
import { attemptsMax, hookIdOf, isFor, isRefusedHook } from '../receivers/plan.ts'
import { type Delivery, type Endpoint, endpointOf, eventsOf, key, nameOf } from './endpoint-history.ts'
import { type EndpointEvidence, type Evidence, type Finding, isRestore } from './evidence.ts'

type Check = (evidence: Evidence) => Finding
type EndpointCheck = (endpoint: Endpoint) => {
  readonly violation?: string | undefined
  readonly count: number
}

const none: Finding = { violation: undefined, checked: 'no endpoints here' }

const of =
  (check: (endpoints: EndpointEvidence, evidence: Evidence) => Finding): Check =>
  (evidence) =>
    evidence.endpoints === undefined ? none : check(evidence.endpoints, evidence)

/** A restore puts endpoints back to where they were: what was sent since comes again, and attempts are gone with their events. */
const exceptAfterRestores =
  (check: Check): Check =>
  (evidence) =>
    evidence.losses.some(isRestore)
      ? { violation: undefined, checked: 'not after a restore' }
      : check(evidence)

const ofEach = (check: EndpointCheck, what: string): Check =>
  of((endpoints, { http }) => {
    let count = 0
    for (const plan of endpoints.plans) {
      const found = check(endpointOf(plan, endpoints, http))
      if (found.violation !== undefined) return { violation: `${plan.name}: ${found.violation}`, checked: '' }
      count += found.count
    }
    return { violation: undefined, checked: `${count} ${what}` }
  })

function deliveredDeadOrUnsettled(endpoint: Endpoint) {
  const { dead, unsettled, plan } = endpoint
  let count = 0
  for (const { topic, row, at, delivery } of eventsOf(endpoint)) {
    count += 1
    if (delivery?.deliveredAt !== undefined || dead.has(at)) continue
    if (unsettled.has(at) && plan.kind === 'inside') continue
    const where = unsettled.has(at) ? 'is still unsettled' : 'is settled'
    const how = delivery === undefined ? 'it was never sent' : `it was sent ${delivery.sent.length} times`
    return { violation: `${nameOf(topic, row)} ${where}, and no receiver has taken it: ${how}`, count }
  }
  return { count }
}

/** Signed, whole, under the id that it has in all attempts, and only where it was asked for. */
function sentAsStored({ plan, deliveries, http }: Endpoint) {
  let count = 0
  for (const { sent } of deliveries.values()) {
    for (const one of sent) {
      count += 1
      const row = http.get(one.topic)?.[one.seq - 1]
      const name = `${one.topic} seq ${one.seq} (${row?.id ?? 'nothing'})`
      const violation =
        one.wrong !== undefined
          ? `${name}: ${one.wrong}`
          : row === undefined || hookIdOf(one.topic, row.id) !== one.hook || seenOf(row).digest !== one.digest
            ? `${name} was sent as ${one.hook}, and that is not what the log has`
            : !isFor(plan, one) || one.source !== row.source
              ? `${name} of ${one.source} was sent, and does not match`
              : undefined
      if (violation !== undefined) return { violation, count }
    }
  }
  return { count }
}

/**
 * What goes before an event in its order was answered with success, or is dead, before the event was sent. Of a topic they may
 * have come in one array.
 */
function inOrder(endpoint: Endpoint) {
  const { plan, dead } = endpoint
  if (plan.order === 'none') return { count: 0 }
  let count = 0
  const before = new Map<string, { readonly row: LogRow; readonly delivery: Delivery | undefined }>()
  for (const { topic, row, at, delivery } of eventsOf(endpoint)) {
    const line = plan.order === 'source' ? `${topic} ${row.source}` : topic
    const last = before.get(line)
    if (!dead.has(at)) before.set(line, { row, delivery })
    const apart = delivery?.sent.filter(
      (one) => plan.order === 'source' || !last?.delivery?.sent.some((other) => isSameRequest(one, other)),
    )
    const sentAt = Math.min(...(apart ?? []).map(({ at }) => at))
    if (last === undefined || sentAt === Number.POSITIVE_INFINITY) continue
    count += 1
    if (sentAt > (last.delivery?.deliveredAt ?? Number.POSITIVE_INFINITY)) continue
    return { violation: `${nameOf(topic, row)} was sent before ${last.row.id} was taken`, count }
  }
  return { count }
}

/** Receivers that follow each other number their requests alike. */
const isSameRequest = (one: Sent, other: Sent): boolean => one.number === other.number && one.at === other.at

/** Each attempt that is written down was made, and each event that is settled has the one that settled it. */
function attemptsTrue(endpoint: Endpoint) {
  const { plan, attempts, dead, unsettled, deliveries, http } = endpoint
  const byEvent = Map.groupBy(attempts, key)
  for (const one of attempts) {
    const row = http.get(one.topic)?.[one.seq - 1]
    const name = `${key(one)} (${row?.id ?? 'nothing'})`
    const sent = row && deliveries.get(hookIdOf(one.topic, row.id))?.sent
    if (one.status === null || sent?.some(({ attempt }) => attempt === one.attempt)) continue
    return {
      violation: `${name}: attempt ${one.attempt} was answered ${one.status}, and never made`,
      count: 0,
    }
  }
  for (const { topic, row, at } of eventsOf(endpoint)) {
    const own = byEvent.get(at) ?? []
    const isDelivered = own.some((one) => one.isDelivered)
    const failed = own.filter((one) => !one.isDelivered).map(({ attempt }) => attempt)
    if (dead.has(at) && Math.max(0, ...failed) < attemptsMax(plan))
      return { violation: `${nameOf(topic, row)} is dead after ${own.length} attempts`, count: 0 }
    if (!isDelivered && !dead.has(at) && !unsettled.has(at))
      return { violation: `${nameOf(topic, row)} is settled, and no attempt of it is written down`, count: 0 }
  }
  return { count: attempts.length }
}

/** Nothing was answered with success that was refused, and what was refused each time is dead. */
function deadAsRefused(endpoint: Endpoint) {
  let count = 0
  for (const { topic, row, hook, at, delivery } of eventsOf(endpoint)) {
    if (!isRefusedHook(endpoint.plan, hook)) {
      // By chance, or by a fault, another one may fail as often; but then nobody has taken it.
      if (!endpoint.dead.has(at) || endpoint.plan.kind !== 'now and then') continue
      return { violation: `${nameOf(topic, row)} is dead, and nobody refused it`, count }
    }
    count += 1
    if (endpoint.dead.has(at)) continue
    return {
      violation: `${nameOf(topic, row)} was refused ${delivery?.sent.length ?? 0} times, and is no dead letter`,
      count,
    }
  }
  return { count }
}

function accountedAllTheTime({ looks }: EndpointEvidence): Finding {
  let most = 0
  for (const { unaccounted, attempts } of looks) {
    const [one] = unaccounted
    if (one !== undefined)
      return {
        violation: `${one} was neither delivered nor dead nor unsettled, and ${unaccounted.length - 1} more`,
        checked: '',
      }
    if (attempts < most) return { violation: `of ${most} attempts ${attempts} were left`, checked: '' }
    most = attempts
  }
  const events = looks.at(-1)?.events ?? 0
  return { violation: undefined, checked: `${looks.length} looks, ${events} events, ${most} attempts` }
}

function nothingStrayed({ notes, attempts, plans }: EndpointEvidence): Finding {
  const [stray] = notes.flat().filter((note) => note.kind === 'strayed')
  if (stray !== undefined) return { violation: `there was ${stray.what}`, checked: '' }
  const denied = [...attempts.values()].flat().filter(({ error }) => error?.startsWith('blocked_address'))
  const inside = plans.filter(({ kind }) => kind === 'inside').flatMap(({ name }) => attempts.get(name) ?? [])
  const other = inside.find(({ error }) => !error?.startsWith('blocked_address'))
  const violation = other && `${key(other)} was sent inside, and came to: ${other.error ?? 'success'}`
  return { violation, checked: `${denied.length} attempts denied` }
}

function nothingShown({ lines, shown }: EndpointEvidence): Finding {
  const [line] = lines
  if (line !== undefined) return { violation: `a log has a secret: ${line.slice(0, 80)} …`, checked: '' }
  const violation = shown > 0 ? `${shown} attempts show a secret` : undefined
  return { violation, checked: 'logs and attempts' }
}

function endpointsDrained({ drain: { ms, msMax, left } }: EndpointEvidence): Finding {
  const late = ms === undefined || ms > msMax
  return {
    violation: late
      ? `not delivered ${(msMax / 1_000).toFixed()} s after the last fault: ${left}`
      : undefined,
    checked: `all delivered after ${((ms ?? 0) / 1_000).toFixed(1)} s`,
  }
}

export const endpointChecks: Readonly<Record<string, Check>> = {
  'every event was taken by the receiver of each endpoint, or is its dead letter, or is unsettled where nothing may go':
    ofEach(deliveredDeadOrUnsettled, 'events'),
  'receivers were sent what the log has, signed, and what they asked for': exceptAfterRestores(
    ofEach(sentAsStored, 'deliveries'),
  ),
  'receivers were sent the events of a source, or of a topic, one after the other': exceptAfterRestores(
    ofEach(inOrder, 'events'),
  ),
  'delivered, dead and unsettled were all that matched, at any time, and attempts stay': exceptAfterRestores(
    of(accountedAllTheTime),
  ),
  'attempts are those that were made, and what settled an event is among them': exceptAfterRestores(
    ofEach(attemptsTrue, 'attempts'),
  ),
  'nothing is dead for an endpoint but what was refused, or failed as often': exceptAfterRestores(
    ofEach(deadAsRefused, 'refused'),
  ),
  'nothing was sent where nothing may go, and no redirect was followed': of(nothingStrayed),
  'no secret is in a log, or in an attempt': of(nothingShown),
  'endpoints came back by themselves, and drained': of(endpointsDrained),
}
