// The checks that add up: do the figures that Sekali shows follow from what it was sent, and is each the same
// wherever it can be read?
import type { BookedEvent } from '../clients/books.ts'
import { outcomeNames } from '../clients/outcomes.ts'
import {
  countedNames,
  type Evidence,
  type Finding,
  figureNames,
  isCounted,
  type Loss,
  type SqlRow,
  type StatsRow,
  takenBy,
} from './evidence.ts'

/** Per topic, in Sekali's own words. */
export function conservation({ stats, books, losses }: Evidence): Finding {
  const total = { accepted: 0, lost: 0 }
  for (const topic of books.topics.keys()) {
    const row = stats.get(topic)
    if (row === undefined) {
      if (books.topics.get(topic)?.size === 0) continue
      return { violation: `${topic} is not in /stats`, checked: '' }
    }
    const { accepted, lost, in_flight } = row
    const unknown = figureNames.find((name) => typeof row[name] !== 'number')
    if (unknown) return { violation: `${topic}: ${unknown} is unknown when all is quiet`, checked: '' }
    const sum = outcomeNames.reduce((sum, name) => sum + Number(row[name]), Number(in_flight))
    if (accepted !== sum || in_flight !== 0) {
      return { violation: `${topic} does not balance: ${JSON.stringify(row)}`, checked: '' }
    }
    // What counts as lost counts as accepted as well, so it would balance, and requests without an answer
    // leave it room.
    const mayHaveLost = losses.some((loss) => (loss.topic ?? topic) === topic)
    if (lost !== 0 && !mayHaveLost) {
      return {
        violation: `${topic} counts ${lost} as lost, and nothing was done that loses data`,
        checked: '',
      }
    }
    total.accepted += accepted ?? 0
    total.lost += lost ?? 0
  }
  return { violation: undefined, checked: `${total.accepted} accepted, ${total.lost} of them lost` }
}

export function figuresAgree(evidence: Evidence): Finding {
  const { books, stats, sql, http } = evidence
  for (const [topic, events] of books.topics) {
    const row = stats.get(topic)
    if (row === undefined) continue // conservation says so
    const logged = http.get(topic)?.length ?? 0
    const bounds = boundsOf(topic, events.values(), evidence.losses)
    const violation =
      (row.stored !== logged ? `/stats has ${row.stored} stored, the log has ${logged}` : undefined) ??
      Object.entries(bounds)
        .map(([name, [min, max]]) => outside(name, row[name as keyof typeof bounds] ?? 0, min, max))
        .find(Boolean) ??
      (sql && differs(row, sql.rows.get(topic)))
    if (violation) return { violation: `${topic}: ${violation}`, checked: '' }
  }
  return { violation: undefined, checked: `${books.topics.size} topics` }
}

const outside = (name: string, value: number, min: number, max: number) =>
  value >= min && value <= max
    ? undefined
    : `${name} is ${value}; by the answers it must be ${min === max ? min : `from ${min} to ${max}`}`

/** Of stored the log says how many they are, and of lost `conservation` what they may be. */
const boundedNames = ['accepted', ...countedNames.filter((name) => name !== 'lost')] as const

type Bounds = Record<(typeof boundedNames)[number], [min: number, max: number]>

/**
 * Every request that was answered with yes is one entry, every one without an answer none or one. The first
 * entry of an id is stored; what else came of the same content is a duplicate, of another one a conflict.
 * Of any other outcome there is none: all that the workload sends can be stored, or is refused. When Redis lost data, entries are
 * missing and contents may have changed places, so only what cannot be too much is left; and what was
 * accepted, except for those that an uncounted loss may have taken.
 */
function boundsOf(topic: string, events: Iterable<BookedEvent>, losses: readonly Loss[]): Bounds {
  const bounds = Object.fromEntries(boundedNames.map((name) => [name, [0, 0]])) as Bounds
  for (const { original, conflicting, allOk } of events) {
    const maybe = original.ok + original.indeterminate
    const taken = allOk ? takenBy(allOk, topic, losses) : []
    const min = taken.every(isCounted) ? original.ok + conflicting.ok : 0
    widen(bounds.accepted, min, maybe + conflicting.ok + conflicting.indeterminate)
    widen(bounds.duplicates, Math.max(0, original.ok - 1), Math.max(0, maybe - 1))
    widen(bounds.conflicts, conflicting.ok, conflicting.ok + conflicting.indeterminate)
  }
  if (losses.length === 0) return bounds
  const [, acceptedMax] = bounds.accepted
  return { ...bounds, duplicates: [0, acceptedMax], conflicts: [0, acceptedMax] }
}

function widen(bound: [min: number, max: number], min: number, max: number): void {
  bound[0] += min
  bound[1] += max
}

type Pair = [what: string, a: number | null, b: number]

function differs(row: StatsRow, found: SqlRow | undefined): string | undefined {
  if (found === undefined) return 'it has no row in PostgreSQL'
  const pairs: Pair[] = [
    ['stored and rows of events', row.stored, found.eventRows],
    ['stored and head', row.stored, found.head],
    ...countedNames.map((name): Pair => [name, row[name], found[name]]),
    ['conflicts and rows of conflicts', row.conflicts, found.conflictRows],
    ['dead and rows of dead letters', row.dead, found.deadRows],
  ]
  const pair = pairs.find(([, a, b]) => a !== b)
  return pair && `${pair[0]} differ: ${pair[1]} in /stats, ${pair[2]} in PostgreSQL`
}
