import type { AbuseFigures } from '../src/check/abuse-verdict.ts'
import type { Evidence, Loss, SqlRow, StatsRow } from '../src/check/evidence.ts'
import { openBooks } from '../src/clients/books.ts'
import { bodyOf, type Fact, idOf, payloadOf, timestampOf } from '../src/clients/content.ts'
import { type LogRow, seenOf } from '../src/clients/log.ts'
import type { Lookup } from '../src/clients/lookup.ts'
import type { Projected } from '../src/clients/projections.ts'
import type { TailSeen } from '../src/clients/tails.ts'
import { endpointsOf } from './endpoints.ts'
import { groupsOf } from './groups.ts'

export const topic = 'orders'
export const fact = (source: string, n: number): Fact => ({ topic, source, n })

export function rowOf(fact: Fact, seq: number, differs: Partial<LogRow> = {}): LogRow {
  const { source } = fact
  const receivedAt = '2026-01-01T00:00:00.000000Z'
  return {
    seq,
    id: idOf(fact),
    source,
    timestamp: timestampOf(fact),
    payload: payloadOf(fact, 0),
    receivedAt,
    ...differs,
  }
}

export const ackedAt = Date.parse('2026-01-01T00:00:00.010Z')

/** A run without a flaw: two sources, three events each, one duplicate, one conflict, one that nobody answered. */
export function soundRun() {
  const books = openBooks([topic], () => ackedAt)
  const facts = [fact('a', 1), fact('b', 1), fact('a', 2), fact('b', 2), fact('a', 3), fact('b', 3)]
  for (const one of facts) books.note(one, 0, 'ok', ackedAt - 5)
  books.note(fact('a', 1), 0, 'ok', ackedAt - 5)
  books.note(fact('a', 2), 1, 'ok', ackedAt - 5)
  books.note(fact('b', 4), 0, 'indeterminate', ackedAt - 5)
  books.notePoison(422, '')
  books.noteReceipt(fact('a', 1), { status: 'stored', seq: 1, variant: 0 })
  books.noteReceipt(fact('a', 1), { status: 'duplicate', seq: 1, variant: 0 })
  books.noteReceipt(fact('a', 2), { status: 'conflict', seq: 3, variant: 1 })
  books.noteReceipt(fact('b', 1), { status: 'stored', seq: 2, variant: 0 })
  books.noteReceipt(fact('b', 2), { status: 'queued', seq: undefined, variant: 0 })
  const log = facts.map((one, index) => rowOf(one, index + 1))
  return { books, log, evidence: evidenceOf(books, log) }
}

export function evidenceOf(books: ReturnType<typeof openBooks>, log: LogRow[]): Evidence {
  const figures = { duplicates: 1, conflicts: 1, dead: 0, lost: 0 }
  const { length } = log
  const stats: StatsRow = { ...figures, accepted: length + 2, stored: length, in_flight: 0, loss_at: null }
  const row: SqlRow = {
    ...figures,
    head: log.length,
    eventRows: log.length,
    conflictRows: 1,
    deadRows: 0,
  }
  return {
    books,
    told: 0,
    http: new Map([[topic, log]]),
    stats: new Map([[topic, stats]]),
    seen: new Map([[topic, log.map(seenOf)]]),
    tails: [tailOf(log)],
    lookups: [
      lookupOf(fact('a', 1), 1),
      { topic, id: 'nobody-1', status: 404, body: '{"code":"unknown_event"}' },
    ],
    sql: { log: new Map([[topic, log]]), rows: new Map([[topic, row]]) },
    projections: { live: activityOf(log), rebuilt: activityOf(log) },
    losses: [],
    admissions: [],
    drain: { ms: 1_000, msMax: 15_000, left: '' },
    groups: groupsOf(topic, log),
    endpoints: endpointsOf(topic, log),
    unrecovered: [],
    ended: [],
    leaks: [],
    abuses: [],
  }
}

/** What the built-in projection has of a log. */
export const activityOf = (log: readonly LogRow[]): Projected =>
  new Map([
    [
      'activity',
      JSON.stringify([
        { key: `2026-01-01T00:00Z ${topic} a`, state: { events: Math.min(1, log.length), bytes: 1 } },
        { key: `2026-01-01T00:01Z ${topic} b`, state: { events: Math.max(0, log.length - 1), bytes: 2 } },
      ]),
    ],
  ])

export const tailOf = (log: LogRow[], complaints: string[] = []): TailSeen => ({
  name: 'of orders',
  topics: [topic],
  seen: new Map([[topic, log.map(seenOf)]]),
  connections: 1,
  told: 0,
  complaints,
})

const times = '"received_at":"2026-01-01T00:00:00.000000Z","stored_at":"2026-01-01T00:00:00.000000Z"'

export const lookupOf = (fact: Fact, seq: number): Lookup => ({
  topic,
  id: idOf(fact),
  status: 200,
  body: `${bodyOf(fact, 0).slice(0, -1)},"seq":${seq},${times}}`,
})

/** A loss after everything in a sound run was acknowledged. */
export const lossOf = (differs: Partial<Loss> = {}): Loss => ({
  fault: 'flushall',
  topic: undefined,
  from: ackedAt + 1,
  until: ackedAt + 2,
  safeBefore: 0,
  beside: [],
  ...differs,
})

/** An abuse that others hardly noticed: every figure is as great as it may be. */
export const held: AbuseFigures = {
  fault: 'abuse-x',
  quiet: { publish: 2, wait: 60, read: 3, tail: 20 },
  abused: { publish: 250, wait: 300, read: 9, tail: 250 },
  count: 200,
  refused: {},
  rssKb: 448 * 1024,
  backMs: 5_000,
  left: '',
  answers: { 200: 5, 429: 1_000, 503: 20 },
}
