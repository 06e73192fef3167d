/**
 * Whether worker groups were given every event, settled each, and lost none on the way. What was settled follows from
 * what the workers noted, whatever the system says of it; where the floors are is asked of PostgreSQL.
 */
import { type LogRow, seenOf } from '../clients/log.ts'
import { type Histories, type History, historiesOf, keyOf, settledAt } from '../workers/history.ts'
import { isMatching, isRefused, type Plan } from '../workers/plan.ts'
import { type Evidence, type Finding, type FloorSample, type GroupEvidence, isRestore } from './evidence.ts'

/** One group, with what is known of it. */
interface Group {
  readonly plan: Plan
  readonly histories: Histories
  readonly dead: ReadonlySet<string>
  readonly http: Evidence['http']
  readonly floors: readonly FloorSample[]
}

type Check = (evidence: Evidence) => Finding
/** The first violation of a group, and how much was looked at. */
type GroupCheck = (group: Group) => { readonly violation?: string | undefined; readonly count: number }

/** A restore puts groups back to where they were: what was settled since comes again, under other numbers. */
const exceptAfterRestores =
  (check: GroupCheck, what: string): Check =>
  (evidence) =>
    evidence.losses.some(isRestore)
      ? { violation: undefined, checked: 'not after a restore' }
      : ofEach(check, what)(evidence)

const ofEach =
  (check: GroupCheck, what: string): Check =>
  ({ groups, http }) => {
    if (groups === undefined) return { violation: undefined, checked: 'no workers here' }
    let count = 0
    for (const plan of groups.plans) {
      const found = check(groupOf(plan, groups, http))
      if (found.violation !== undefined) return { violation: `${plan.name}: ${found.violation}`, checked: '' }
      count += found.count
    }
    return { violation: undefined, checked: `${count} ${what}` }
  }

const groupOf = (plan: Plan, { notes, dead, floors }: GroupEvidence, http: Evidence['http']): Group => ({
  plan,
  histories: historiesOf(notes, plan.name),
  dead: new Set(dead.get(plan.name)?.map(({ topic, seq }) => `${topic} ${seq}`)),
  http,
  floors: (floors ?? []).filter(({ subscription }) => subscription === plan.name),
})

/** Every event of the log that the group must have, in the order of its topic. */
function* eventsOf({ plan, histories, dead, http }: Group) {
  for (const [topic, rows] of http) {
    for (const row of rows) {
      if (!isMatching(plan, row.source)) continue
      const history = histories.get(keyOf({ topic, id: row.id }))
      yield { topic, row, history, isDead: dead.has(`${topic} ${row.seq}`) }
    }
  }
}

const nameOf = (topic: string, { seq, id }: Pick<LogRow, 'seq' | 'id'>): string =>
  `${topic} seq ${seq} (${id})`

function settledByWorkers(group: Group) {
  let count = 0
  for (const { topic, row, history, isDead } of eventsOf(group)) {
    count += 1
    if (history?.ackedAt !== undefined || isDead) continue
    const how =
      history === undefined ? 'nobody ever got it' : `it was delivered ${history.deliveries.length} times`
    return { violation: `${nameOf(topic, row)} is settled, and no worker did that: ${how}`, count }
  }
  return { count }
}

/** Who got what must have got the event of that number, whole, and only what the group asked for. */
function deliveredAsStored({ plan, histories, http }: Group) {
  let count = 0
  for (const { deliveries } of histories.values()) {
    for (const it of deliveries) {
      count += 1
      const row = http.get(it.topic)?.[it.seq - 1]
      const stored = row && seenOf(row)
      if (stored?.id !== it.id || stored.digest !== it.digest)
        return {
          violation: `${nameOf(it.topic, it)} was delivered, and the log has ${stored?.id ?? 'nothing'}`,
          count,
        }
      if (!isMatching(plan, it.source))
        return {
          violation: `${nameOf(it.topic, it)} of ${it.source} was delivered, and does not match`,
          count,
        }
    }
  }
  return { count }
}

function deadAsRefused(group: Group) {
  let count = 0
  for (const { topic, row, isDead } of eventsOf(group)) {
    const isPoison = isRefused(group.plan, row.id)
    if (isPoison) count += 1
    if (isDead === isPoison) continue
    const how = isDead
      ? 'is a dead letter, and nobody refused it'
      : 'was always refused, and is no dead letter'
    return { violation: `${nameOf(topic, row)} ${how}`, count }
  }
  return { count }
}

/** floor = min(unsettled) − 1, as PostgreSQL has it, and never at an event that no worker had settled by then. */
function floorsExact(group: Group) {
  const times = settledTimes(group)
  for (const { topic, at, floor, firstUnsettled } of group.floors) {
    const violation =
      floor !== firstUnsettled - 1
        ? `the floor of ${topic} was ${floor}, and the first unsettled event ${firstUnsettled}`
        : (times.get(topic)?.[floor] ?? 0) > at
          ? `the floor of ${topic} was ${floor} before all up to there was settled`
          : undefined
    if (violation !== undefined) return { violation, count: 0 }
  }
  return { count: group.floors.length }
}

/** By topic and seq, from 0: when at the earliest all up to there was settled. */
function settledTimes(group: Group): Map<string, number[]> {
  const times = new Map([...group.http].map(([topic]) => [topic, [0]]))
  for (const [topic, rows] of group.http) {
    const ofTopic = times.get(topic) ?? []
    for (const row of rows) {
      const isOpen = isMatching(group.plan, row.source) && !group.dead.has(`${topic} ${row.seq}`)
      const history = group.histories.get(keyOf({ topic, id: row.id }))
      const own = isOpen ? settledAt(history) : 0
      ofTopic.push(Math.max(own, ofTopic.at(-1) ?? 0))
    }
  }
  return times
}

/** A token settles once, and never after somebody else has had a later one of the same event. */
function tokensOnce({ histories }: Group) {
  let count = 0
  for (const history of histories.values()) {
    const done = history.settlings.filter(({ result }) => result === 'done')
    count += history.settlings.length
    const [first, second] = done.filter((one) => one.do === 'ack')
    if (first !== undefined && second !== undefined) {
      const name = nameOf(first.delivery.topic, first.delivery)
      return { violation: `${name} was acknowledged twice, both times with success`, count }
    }
    for (const { at, delivery } of done) {
      const later = history.deliveries.find((one) => one.attempt > delivery.attempt && one.at < at)
      if (later === undefined) continue
      const name = nameOf(delivery.topic, delivery)
      return {
        violation: `${name}: a token of attempt ${delivery.attempt} was good after attempt ${later.attempt} had begun`,
        count,
      }
    }
  }
  return { count }
}

/** An event is first delivered after an acknowledgement of the one before it in its source was on its way. */
function oneAtATime(group: Group) {
  if (!group.plan.isOrdered) return { count: 0 }
  let count = 0
  const before = new Map<string, { row: LogRow; history: History | undefined; isDead: boolean }>()
  for (const { topic, row, history, isDead } of eventsOf(group)) {
    const source = `${topic} ${row.source}`
    const last = before.get(source)
    before.set(source, { row, history, isDead })
    const [delivered] = history?.deliveries ?? []
    if (last === undefined || last.isDead || delivered === undefined) continue
    count += 1
    if (delivered.at > settledAt(last.history)) continue
    return { violation: `${nameOf(topic, row)} was delivered before ${last.row.id} was settled`, count }
  }
  return { count }
}

function groupsDrained({ groups }: Evidence): Finding {
  if (groups === undefined) return { violation: undefined, checked: 'no workers here' }
  const { ms, msMax, left } = groups.drain
  const late = ms === undefined || ms > msMax
  return {
    violation: late ? `not settled ${(msMax / 1_000).toFixed()} s after the last fault: ${left}` : undefined,
    checked: `nothing unsettled after ${((ms ?? 0) / 1_000).toFixed(1)} s`,
  }
}

export const groupChecks: Readonly<Record<string, Check>> = {
  'every event was settled by a worker of each group, or is its dead letter': ofEach(
    settledByWorkers,
    'events',
  ),
  'workers got what the log has, and what they asked for': exceptAfterRestores(
    deliveredAsStored,
    'deliveries',
  ),
  'nothing is dead for a group but what it refused': exceptAfterRestores(deadAsRefused, 'refused'),
  'the floor of a group is behind all that is settled, and before the first that is not': exceptAfterRestores(
    floorsExact,
    'looks',
  ),
  'a token is good once, and not when another was handed out': exceptAfterRestores(tokensOnce, 'settled'),
  'workers got the events of a source one at a time, in order': exceptAfterRestores(oneAtATime, 'events'),
  'worker groups came back by themselves, and drained': groupsDrained,
}
