/**
 * The promises, one small function each: evidence in, the first violation out, in words that name the event. The
 * checks trust nobody: what must be in the log follows from the answers that the workload got, and what is in it is
 * read over HTTP and by SQL. An event that was never acknowledged nor refused may be in or out, but never twice.
 */

import type { BookedEvent, Span } from '../clients/books.ts'
import { idOf, payloadOf, timestampOf } from '../clients/content.ts'
import { isSameRow, type LogRow } from '../clients/log.ts'
import { complaintsOf } from './abuse-verdict.ts'
import { endpointChecks } from './endpoints.ts'
import { type Evidence, type Finding, isCounted, isForgotten, isRestore, takenBy } from './evidence.ts'
import { conservation, figuresAgree } from './figures-agree.ts'
import { groupChecks } from './groups.ts'
import { readerSawLog, tailsSawLog } from './readers.ts'
import { lookupsAgree, receiptsAgree } from './receipts.ts'

export interface Verdict extends Finding {
  readonly promise: string
}

type Check = (evidence: Evidence) => Finding

export const checks: Readonly<Record<string, Check>> = {
  'every acknowledged event is stored, or its loss was admitted': acknowledgedIsStored,
  'no event is stored twice': storedOnce,
  'nothing is stored that was never sent, and nothing poisonous': nothingInvented,
  'nothing changed on the way': unchanged,
  'seq has no gap': gapFree,
  'the order of each source is kept': inOrder,
  'accepted = stored + duplicates + conflicts + dead + lost + in flight': conservation,
  'the books, HTTP and SQL agree': figuresAgree,
  'the log is the same over HTTP and by SQL': sameLog,
  'a reader saw exactly the log': readerSawLog,
  'every tail saw exactly the log': tailsSawLog,
  'receipts say what the log says': receiptsAgree,
  'an event is found by its id, and only then': lookupsAgree,
  'projections equal a fold from the first event': projectionsAreFolds,
  ...groupChecks,
  ...endpointChecks,
  'it came back by itself, and drained': cameBack,
  'every answer was one that it may give': noSurprises,
  'no process ended that was not killed': ({ ended }) => first(ended, 'the processes'),
  'memory, connections and names are back': ({ leaks }) => first(leaks, 'before and after'),
  'no client takes the service from the others': ({ abuses }) =>
    first(abuses.flatMap(complaintsOf), `${abuses.length} abuses`),
}

export const judge = (evidence: Evidence): Verdict[] =>
  Object.entries(checks).map(([promise, check]) => ({ promise, ...check(evidence) }))

const first = (violations: readonly string[], checked: string): Finding => ({
  violation: violations[0],
  checked,
})

function* booked({ books }: Evidence): Generator<[topic: string, id: string, event: BookedEvent]> {
  for (const [topic, events] of books.topics) for (const [id, event] of events) yield [topic, id, event]
}

function* logged({ http }: Evidence): Generator<[topic: string, row: LogRow]> {
  for (const [topic, rows] of http) for (const row of rows) yield [topic, row]
}

/** Clocks of Redis, of PostgreSQL and of ours are one machine's. */
const clockSkewMs = 100

function acknowledgedIsStored(evidence: Evidence) {
  const { http, losses, admissions, stats } = evidence
  const ids = new Map([...http].map(([topic, rows]) => [topic, new Set(rows.map(({ id }) => id))]))
  let acknowledged = 0
  let missing = 0
  let owed = 0
  const counted = new Map<string, number>()
  const silent: string[] = []
  for (const [topic, id, event] of booked(evidence)) {
    if (event.firstOk === undefined || event.lastOk === undefined) continue
    acknowledged++
    if (ids.get(topic)?.has(id)) continue
    missing++
    // Each of its entries must have been in Redis, and not be stored yet, when something there was destroyed.
    const kept = [event.firstOk, event.lastOk].find((span) => takenBy(span, topic, losses).length === 0)
    if (kept !== undefined) {
      const when = new Date(kept.at).toISOString()
      return first([`${topic} ${id} was acknowledged at ${when} and is not in the log`], `${acknowledged}`)
    }
    const taken = takenBy(event.lastOk, topic, losses)
    if (taken.every(isCounted)) counted.set(topic, (counted.get(topic) ?? 0) + 1)
    if (taken.some(isForgotten)) continue
    owed++
    const since = Math.min(...taken.map(({ from }) => from))
    const lossAt = stats.get(topic)?.loss_at ?? null
    if (lossAt === null || Date.parse(lossAt) < since - clockSkewMs) {
      const said = lossAt === null ? 'nothing about it' : `only of a loss at ${lossAt}`
      silent.push(`${topic} ${id} was lost with Redis's data, and /stats says ${said}`)
    }
  }
  if (owed > 0 && admissions?.length === 0) silent.push(`${owed} events were lost, and no log says so`)
  for (const [topic, count] of counted) {
    const lost = stats.get(topic)?.lost ?? 0
    if (count > lost)
      silent.push(`${topic} is without ${count} acknowledged events, and /stats counts ${lost} as lost`)
  }
  const checked = `${acknowledged} acknowledged events, ${missing} lost with Redis's data`
  return first(silent, checked)
}

function storedOnce(evidence: Evidence) {
  const seen = new Set<string>()
  for (const [topic, { id, seq }] of logged(evidence)) {
    const key = `${topic} ${id}`
    if (seen.has(key)) return first([`${key} is in the log a second time, as seq ${seq}`], '')
    seen.add(key)
  }
  return first([], `${seen.size} events`)
}

function nothingInvented(evidence: Evidence) {
  let count = 0
  for (const [topic, { id, seq }] of logged(evidence)) {
    const event = evidence.books.topics.get(topic)?.get(id)
    const sent = event && event.original.ok + event.original.indeterminate + event.conflicting.ok > 0
    if (!sent) return first([`${topic} seq ${seq} is ${id}, which nobody sent`], '')
    count++
  }
  const { refused } = evidence.books.poison
  return first([], `${count} events, ${refused} poisonous bodies refused`)
}

function unchanged(evidence: Evidence) {
  const isLossy = evidence.losses.length > 0
  for (const [topic, row] of logged(evidence)) {
    const event = evidence.books.topics.get(topic)?.get(row.id)
    if (event === undefined) continue // another check's
    const { fact } = event
    // The original was acknowledged before another payload was sent, so it is the one. Unless its entry was lost.
    const payloads = [...(isLossy ? event.variants : [0])].map((variant) => payloadOf(fact, variant))
    const where = `${topic} seq ${row.seq} (${row.id})`
    if (row.source !== fact.source) return first([`${where} has the source ${row.source}`], '')
    if (row.timestamp !== timestampOf(fact)) return first([`${where} has the timestamp ${row.timestamp}`], '')
    if (!payloads.includes(row.payload)) {
      return first([`${where} has another payload: ${row.payload.slice(0, 200)}`], '')
    }
  }
  return first([], 'sources, timestamps and payloads as text')
}

function gapFree({ http }: Evidence) {
  let count = 0
  for (const [topic, rows] of http) {
    for (const [index, { seq, id }] of rows.entries()) {
      if (seq !== index + 1) return first([`${topic}: ${id} has seq ${seq}, not ${index + 1}`], '')
      count++
    }
  }
  return first([], `${count} seqs`)
}

function inOrder(evidence: Evidence) {
  const lastOf = new Map<string, number>()
  let count = 0
  for (const [topic, { id, seq, receivedAt }] of logged(evidence)) {
    const event = evidence.books.topics.get(topic)?.get(id)
    // One that was given up may come late, at any time: nobody was told that it is there.
    if (event?.firstOk === undefined || event.fact.unordered) continue
    if (isReplaced(event.firstOk, Date.parse(receivedAt), topic, evidence)) continue
    const { source, n } = event.fact
    const sender = `${topic} ${source}`
    const last = lastOf.get(sender) ?? 0
    if (n < last) return first([`${topic} seq ${seq} is ${idOf(event.fact)}, after ${source}-${last}`], '')
    lastOf.set(sender, n)
    count++
  }
  return first([], `${count} events of ${lastOf.size} sources in topics`)
}

/** Whether the first entry may have been lost, so that the one that was stored is a later duplicate. */
function isReplaced(firstOk: Span, receivedAt: number, topic: string, { losses }: Evidence): boolean {
  // A restore may also have taken the first entry alone of what waited in Redis when the backup was made.
  return takenBy(firstOk, topic, losses).some(
    (loss) => receivedAt >= (isRestore(loss) ? loss.safeBefore : loss.from) - clockSkewMs,
  )
}

function sameLog({ http, sql }: Evidence) {
  if (sql === undefined) return first([], 'no SQL here')
  for (const [topic, rows] of http) {
    const others = sql.log.get(topic) ?? []
    if (others.length !== rows.length) {
      return first([`${topic} has ${rows.length} events over HTTP and ${others.length} by SQL`], '')
    }
    const at = rows.findIndex((row, index) => !isSameRow(row, others[index]))
    if (at !== -1) {
      return first([`${topic}: over HTTP ${brief(rows[at])}, by SQL ${brief(others[at])}`], '')
    }
  }
  return first([], 'all columns')
}

const brief = (row: LogRow | undefined) =>
  row === undefined ? 'nothing' : `seq ${row.seq} is ${row.id} ${row.payload.slice(0, 80)}`

function projectionsAreFolds({ projections, http }: Evidence) {
  if (projections === undefined) return first([], 'no projections here')
  const { failure, live, rebuilt } = projections
  if (failure !== undefined) return first([failure], '')
  // Two empty folds are equal: one that counts shows that the events are in them.
  const counted = countedBy(live.get('activity') ?? '[]')
  for (const [topic, { length }] of http) {
    const count = counted.get(topic) ?? 0
    if (count !== length) return first([`activity counts ${count} events of ${topic}, of ${length}`], '')
  }
  const differing = [...live].find(([name, states]) => rebuilt.get(name) !== states)
  const words =
    differing &&
    `${differing[0]} differs from its fold: ${whereDiffers(differing[1], rebuilt.get(differing[0]))}`
  return first(words === undefined ? [] : [words], `${[...live.keys()].join(', ')}`)
}

/** The events of each topic, by the keys and states of the built-in projection `activity`. */
function countedBy(activity: string): Map<string, number> {
  const counted = new Map<string, number>()
  for (const { key, state } of JSON.parse(activity) as { key: string; state: { events: number } }[]) {
    const [, topic = ''] = key.split(' ')
    counted.set(topic, (counted.get(topic) ?? 0) + state.events)
  }
  return counted
}

function whereDiffers(a: string, b = ''): string {
  const at = [...a].findIndex((char, index) => char !== b[index])
  const around = (text: string) => text.slice(Math.max(0, at - 60), at + 60)
  return `… ${around(a)} …, not … ${around(b)} …`
}

function cameBack({ unrecovered, drain }: Evidence) {
  const late = drain.ms === undefined || drain.ms > drain.msMax
  const words = `not drained ${(drain.msMax / 1_000).toFixed()} s after the last fault: ${drain.left}`
  return first(
    [...unrecovered, ...(late ? [words] : [])],
    `nothing in flight or pending after ${((drain.ms ?? 0) / 1_000).toFixed(1)} s`,
  )
}

function noSurprises({ books }: Evidence) {
  const { ok, failed, indeterminate } = books.total
  return first(books.surprises, `${ok + failed + indeterminate} requests`)
}
