import type { Holder } from '@sekali/broker/backlog'
import type { Presence } from '@sekali/broker/presence'
import type { StreamFigures } from '@sekali/broker/streams'
import { type Finding, ok, problem, unknown, warning } from '@sekali/core/finding'
import { limits } from '@sekali/core/limits'
import type { Figures, TopicFigures } from './figures.ts'

/** Beyond it, the times that different clocks gave one event are in the wrong order. */
const skewMsMax = 1_000

/** `uncertainMs` is half the time that the reading took. */
export function clockFinding(check: string, whose: string, skewMs: number, uncertainMs: number): Finding {
  const text = `${whose}'s clock is ${Math.round(Math.abs(skewMs))} ms ${skewMs < 0 ? 'behind' : 'ahead of'} the gateway's`
  if (Math.abs(skewMs) - uncertainMs <= skewMsMax) return ok(check, text)
  return warning(
    check,
    `${text}: received_at and stored_at do not fit together (the order of events does not depend on them)`,
    'let NTP set the clocks of all machines: timedatectl set-ntp true',
  )
}

/** A consumer reads at least once a second while there is anything to read. */
const idleMsMax = 15_000

/** Undefined is what could not be read: Redis is away, which is another finding. */
export function consumerFindings(
  consumers: readonly Presence[] | undefined,
  holders: readonly Holder[] | undefined,
  inFlight: number | null,
): Finding[] {
  if (consumers === undefined) return [unknown('consumers.present', 'Redis does not say which there are')]
  const present = new Set(consumers.map(({ name }) => name))
  const findings = [
    consumers.length > 0
      ? ok('consumers.present', `${consumers.length} at work`)
      : problem(
          'consumers.present',
          `none, ${inFlight === null ? 'unknown' : inFlight} in flight`,
          'start one: node apps/consumer/src/main.ts, or npm start',
        ),
  ]
  const dead = (holders ?? []).filter(({ name, idleMs }) => !present.has(name) && idleMs > idleMsMax)
  if (dead.length === 0) return [...findings, ok('consumers.dead', 'none holds anything')]
  const names = [...new Set(dead.map(({ name }) => name))]
  const packs = dead.reduce((sum, { pending }) => sum + pending, 0)
  return [
    ...findings,
    warning(
      'consumers.dead',
      `${packs} packs of events are still with ${listed(names)}, gone for ${Math.round((dead[0]?.idleMs ?? 0) / 1_000)} s`,
      consumers.length === 0
        ? 'start a consumer; it takes them over by itself'
        : 'consumers take them over by themselves; if they do not, their logs say why (LOG_LEVEL=debug)',
    ),
  ]
}

const lagMsMax = 10_000

/** `oldest` is, by topic, the time by Redis's clock at which the entry that waits longest was accepted. */
export function lagFinding(
  inFlight: number | null,
  oldest: ReadonlyMap<string, number> | undefined,
  nowMs: number | undefined,
): Finding {
  const check = 'lag'
  if (inFlight === null || oldest === undefined || nowMs === undefined) {
    return unknown(check, 'how much is in flight cannot be told while a server is away')
  }
  const [topic, sinceMs] = [...oldest].reduce((a, b) => (b[1] < a[1] ? b : a), ['', nowMs] as [
    string,
    number,
  ])
  const text = `${inFlight.toLocaleString('en-US')} in flight`
  const lagMs = Math.max(0, nowMs - sinceMs)
  if (lagMs <= lagMsMax) return ok(check, text)
  return warning(
    check,
    `${text}; what waits longest has waited for ${Math.round(lagMs / 1_000)} s (topic ${topic})`,
    'see the consumers’ logs; if they store without a pause and fall behind, start more of them',
  )
}

/** As long as Redis's clock is behind a stream's last id, new ids get the millisecond of that id. */
export function lastIdFinding(
  streams: ReadonlyMap<string, Pick<StreamFigures, 'lastId'>> | undefined,
  nowMs: number | undefined,
): Finding {
  const check = 'redis.last_ids'
  if (streams === undefined || nowMs === undefined) return unknown(check, 'Redis does not say')
  let count = 0
  let furthest = { topic: '', ms: 0 }
  for (const [topic, { lastId }] of streams) {
    const ms = lastId === null ? 0 : Number.parseInt(lastId, 10) - nowMs
    if (ms <= skewMsMax) continue
    count += 1
    if (ms > furthest.ms) furthest = { topic, ms }
  }
  if (count === 0) return ok(check, 'none is ahead of the clock')
  const by = `${Math.round(furthest.ms / 1_000).toLocaleString('en-US')} s (topic ${furthest.topic})`
  return warning(
    check,
    `${count} streams have a last id that is ahead of Redis’s clock, the furthest by ${by}: received_at of what ` +
      'comes stands still until the clock has caught up',
    'the clock stepped back, or somebody set the id: let NTP set the clock of Redis’s machine. Order, numbers and ' +
      'receipts are exact meanwhile',
  )
}

const keptOnly = `beyond ${limits.keptBytesMax / 2 ** 20} MiB of a topic, no content is kept`

/**
 * Outcomes that a healthy system does not have. `topics` are null if they are not known. Of dead letters and conflicts only
 * those are a finding that nobody has dealt with; `settled` counts the others.
 */
export function figureFindings(
  totals: Figures,
  topics: readonly TopicFigures[] | null,
  settled: Readonly<Partial<Record<Outcome, number>>> = {},
): Finding[] {
  const finding = (outcome: Outcome, one: string, many: string, remedy: string): Finding => {
    const check = `log.${outcome}`
    const all = totals[outcome]
    if (all === null) return unknown(check, 'cannot be told while a server is away')
    const value = Math.max(0, all - (settled[outcome] ?? 0))
    if (value === 0) return ok(check, all === 0 ? 'none' : `none open, ${all.toLocaleString('en-US')} in all`)
    const names = topicsWithMost(outcome, topics ?? [])
    const places = names.length === 0 ? '' : ` (${listed(names)})`
    return warning(check, `${value.toLocaleString('en-US')} ${value === 1 ? one : many}${places}`, remedy)
  }
  return [
    finding(
      'conflicts',
      'event came under an id that another content has',
      'events came under an id that another content has',
      `a publisher uses an id twice: sekali dead-letter list --kind conflict names them, compare shows both; where both are ` +
        `the same as JSON, sekali topic settings TOPIC --same-content json makes duplicates of such repeats; ${keptOnly}`,
    ),
    finding(
      'dead',
      'dead letter',
      'dead letters',
      `PostgreSQL refused them: sekali dead-letter list --kind entry tells why; redrive them once that is mended; ${keptOnly}`,
    ),
    finding(
      'lost',
      'event vanished from Redis before it was stored',
      'events vanished from Redis before they were stored',
      'somebody deleted them, or Redis lost data: see its log and redis.appendfsync; publish them again',
    ),
  ]
}

type Outcome = 'conflicts' | 'dead' | 'lost'

const topicsWithMost = (outcome: Outcome, topics: readonly TopicFigures[]): string[] =>
  topics
    .filter((topic) => Number(topic[outcome]) > 0)
    .sort((a, b) => Number(b[outcome]) - Number(a[outcome]))
    .map(({ topic }) => topic)

export function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}

/** Topics whose repeats are compared by what they mean: how many, and the first of them. Undefined if nobody says. */
export function sameContentFinding(
  topics: { readonly count: number; readonly names: readonly string[] } | undefined,
): Finding {
  const check = 'topics.same_content'
  if (topics === undefined) return unknown(check, 'cannot be told while PostgreSQL is away')
  const { count, names } = topics
  if (count === 0) return ok(check, 'bytes: a repeat with another text of the payload is a conflict')
  const more = count > names.length ? ` and ${count - names.length} more` : ''
  return ok(check, `json in ${names.join(', ')}${more}; bytes in all other topics`)
}
