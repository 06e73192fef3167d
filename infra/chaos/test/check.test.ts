import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { checks, judge } from '../src/check/check.ts'
import type { Evidence, Loss, StatsRow } from '../src/check/evidence.ts'
import { findLeaks, type Sample, takeSample } from '../src/check/watch.ts'
import { type Fact, payloadOf } from '../src/clients/content.ts'
import { openDoor } from '../src/clients/door.ts'
import type { LogRow, Seen } from '../src/clients/log.ts'
import type { Projections } from '../src/clients/projections.ts'
import type { Receipt } from '../src/clients/receipt.ts'
import type { TailSeen } from '../src/clients/tails.ts'
import { awaitRecovery } from '../src/inject/recovery.ts'
import type { Target } from '../src/targets/target.ts'
import {
  ackedAt,
  activityOf,
  evidenceOf,
  fact,
  held,
  lookupOf,
  lossOf,
  rowOf,
  soundRun,
  tailOf,
  topic,
} from './evidence.ts'

const violations = (evidence: Evidence) =>
  Object.fromEntries(
    judge(evidence).flatMap(({ promise, violation }) => (violation ? [[promise, violation]] : [])),
  )

test('a sound run violates nothing', () => {
  expect(violations(soundRun().evidence)).toEqual({})
})

test('an event that nobody answered may be in the log', () => {
  const { books, log } = soundRun()
  expect(violations(evidenceOf(books, [...log, rowOf(fact('b', 4), 7)]))).toEqual({})
})

/** Each breaks a sound run in one way; the check that must notice, and a word of what it must say. */
const broken: [what: string, promise: string, says: RegExp, run: () => Evidence][] = [
  [
    'an acknowledged event is not in the log',
    'every acknowledged event is stored',
    /orders b-3 was acknowledged/,
    () => withLog((log) => log.slice(0, -1)),
  ],
  [
    'an event is in the log twice',
    'no event is stored twice',
    /orders a-1 is in the log a second time, as seq 7/,
    () => withLog((log) => [...log, rowOf(fact('a', 1), 7)]),
  ],
  [
    'an event that nobody answered is in the log twice',
    'no event is stored twice',
    /b-4/,
    () => withLog((log) => [...log, rowOf(fact('b', 4), 7), rowOf(fact('b', 4), 8)]),
  ],
  [
    'the log has an event that nobody sent',
    'nothing is stored that was never sent',
    /seq 7 is c-1/,
    () => withLog((log) => [...log, rowOf(fact('c', 1), 7)]),
  ],
  [
    'a payload lost a digit',
    'nothing changed on the way',
    /seq 1 \(a-1\) has another payload/,
    () => withLog((log) => log.map((row) => ({ ...row, payload: row.payload.replace('.10', '.1') }))),
  ],
  [
    'the other content of a conflict won',
    'nothing changed on the way',
    /a-2/,
    () =>
      withLog((log) =>
        log.map((row) => (row.id === 'a-2' ? { ...row, payload: payloadOf(fact('a', 2), 1) } : row)),
      ),
  ],
  [
    'a source changed',
    'nothing changed on the way',
    /has the source x/,
    () => withLog((log) => log.map((row) => ({ ...row, source: 'x' }))),
  ],
  [
    'a timestamp changed',
    'nothing changed on the way',
    /has the timestamp/,
    () => withLog((log) => log.map((row) => ({ ...row, timestamp: '2026-01-01T00:00:00.000000Z' }))),
  ],
  [
    'a seq is missing',
    'seq has no gap',
    /b-3 has seq 7, not 6/,
    () => withLog((log) => log.map((row) => (row.seq === 6 ? { ...row, seq: 7 } : row))),
  ],
  [
    'two events of a source changed places',
    'the order of each source',
    /seq 3 is a-1, after a-2/,
    () => withLog(([a1, b1, a2, ...rest]) => renumbered([a2, b1, a1, ...rest])),
  ],
  [
    'a duplicate was not counted',
    'accepted = stored',
    /does not balance/,
    () => withStats({ duplicates: 0 }),
  ],
  [
    'something is in flight for good',
    'accepted = stored',
    /balance/,
    () => withStats({ in_flight: 1, accepted: 9 }),
  ],
  [
    'a loss was counted that was none',
    'accepted = stored',
    /orders counts 1 as lost, and nothing was done/,
    () => withStats({ lost: 1, accepted: 9 }),
  ],
  ['a figure is unknown', 'accepted = stored', /in_flight is unknown/, () => withStats({ in_flight: null })],
  [
    'a redelivery was counted as a duplicate',
    'the books, HTTP and SQL agree',
    /duplicates is 2; by the answers it must be 1/,
    () => withStats({ duplicates: 2, accepted: 9 }),
  ],
  [
    'a conflict was counted as a duplicate',
    'the books, HTTP and SQL agree',
    /conflicts is 0|duplicates is 2/,
    () => withStats({ duplicates: 2, conflicts: 0 }),
  ],
  [
    'more was accepted than sent',
    'the books, HTTP and SQL agree',
    /accepted is 10; by the answers it must be from 8 to 9/,
    () => withStats({ accepted: 10, duplicates: 3 }),
  ],
  [
    'an event became a dead letter',
    'the books, HTTP and SQL agree',
    /dead is 1; by the answers it must be 0/,
    () => withSql({ dead: 1, deadRows: 1 }, withStats({ accepted: 9, dead: 1 })),
  ],
  [
    'SQL counts otherwise',
    'the books, HTTP and SQL agree',
    /rows of events differ/,
    () => withSql({ eventRows: 5 }),
  ],
  [
    'a conflict was not kept',
    'the books, HTTP and SQL agree',
    /rows of conflicts/,
    () => withSql({ conflictRows: 0 }),
  ],
  [
    'SQL has another event than HTTP',
    'the log is the same',
    /over HTTP seq 1 is a-1 .*, by SQL seq 1 is b-1/,
    () => {
      const { evidence, log } = soundRun()
      const other = log.map((row) => (row.seq === 1 ? { ...row, id: 'b-1' } : row))
      return { ...evidence, sql: { ...sqlOf(evidence), log: new Map([[topic, other]]) } }
    },
  ],
  [
    'the reader skipped one',
    'a reader saw exactly the log',
    /the log has seq 2 \(b-1\) where the reader saw seq 3/,
    () => withSeen((seen) => seen.filter(({ seq }) => seq !== 2)),
  ],
  [
    'the reader saw one twice',
    'a reader saw exactly the log',
    /seq 2/,
    () => withSeen(([one, ...rest]) => [one, one, ...rest]),
  ],
  [
    'the reader saw one that is not there any more',
    'a reader saw exactly the log',
    /saw more/,
    () => withSeen((seen) => [...seen, { seq: 7, id: 'b-4' }]),
  ],
  [
    'the reader saw another payload',
    'a reader saw exactly the log',
    /saw seq 2 \(b-1\) with another content/,
    () => withSeen((seen) => seen.map((one) => (one.seq === 2 ? { ...one, digest: '' } : one))),
  ],
  [
    'a tail skipped one after a reconnect',
    'every tail saw exactly the log',
    /orders: the log has seq 3 \(a-2\) where the tail of orders saw seq 4/,
    () => withTail((log) => tailOf(log.filter(({ seq }) => seq !== 3))),
  ],
  [
    'a tail got one again after a reconnect',
    'every tail saw exactly the log',
    /the log has seq 4 .* saw seq 3/,
    () => withTail(([a, b, c, ...rest]) => tailOf([a, b, c, c, ...rest] as LogRow[])),
  ],
  [
    'a tail was refused',
    'every tail saw exactly the log',
    /the tail of orders: answered 409/,
    () => withTail((log) => tailOf(log, ['answered 409'])),
  ],
  [
    'a receipt said stored for what is not in the log',
    'receipts say what the log says',
    /a receipt said stored with seq 7, and it is not in the log/,
    () => withReceipt(fact('b', 4), { status: 'stored', seq: 7, variant: 0 }),
  ],
  [
    'a receipt said another seq',
    'receipts say what the log says',
    /duplicate with seq 2, and it is seq 1/,
    () => withReceipt(fact('a', 1), { status: 'duplicate', seq: 2, variant: 0 }),
  ],
  [
    'a receipt said duplicate of another content',
    'receipts say what the log says',
    /another content/,
    () => withReceipt(fact('a', 2), { status: 'duplicate', seq: 3, variant: 1 }),
  ],
  [
    'a receipt said conflict of the same content',
    'receipts say what the log says',
    /that very content/,
    () => withReceipt(fact('a', 1), { status: 'conflict', seq: 1, variant: 0 }),
  ],
  [
    'two receipts said stored',
    'receipts say what the log says',
    /2 receipts said/,
    () => withReceipt(fact('a', 1), { status: 'stored', seq: 1, variant: 0 }),
  ],
  [
    'all receipts said duplicate',
    'receipts say what the log says',
    /b-3: no receipt said stored/,
    () => withReceipt(fact('b', 3), { status: 'duplicate', seq: 6, variant: 0 }),
  ],
  [
    'a receipt said dead',
    'receipts say what the log says',
    /b-4: a receipt said dead/,
    () => withReceipt(fact('b', 4), { status: 'dead', seq: undefined, variant: 0 }),
  ],
  [
    'a receipt said lost, and nothing was',
    'receipts say what the log says',
    /nothing was lost/,
    () => withReceipt(fact('b', 4), { status: 'lost', seq: undefined, variant: 0 }),
  ],
  [
    'nearly all receipts said queued',
    'receipts say what the log says',
    /of 16 receipts 4 said what had come of the event/,
    () => {
      const { books, evidence } = soundRun()
      for (let i = 0; i < 11; i++)
        books.noteReceipt(fact('b', 3), { status: 'queued', seq: undefined, variant: 0 })
      return evidence
    },
  ],
  [
    'an event is not found by its id',
    'an event is found by its id',
    /a-1 was answered 404/,
    () => broke({ lookups: [{ topic, id: 'a-1', status: 404, body: '{"code":"unknown_event"}' }] }),
  ],
  [
    'an event is found by its id that is not in the log',
    'an event is found by its id',
    /b-4 was answered 200/,
    () => broke({ lookups: [lookupOf(fact('b', 4), 7)] }),
  ],
  [
    'it never drained',
    'it came back',
    /2 pending/,
    () => broke({ drain: { ms: undefined, msMax: 15_000, left: '2 pending' } }),
  ],
  [
    'it drained too late',
    'it came back',
    /15 s/,
    () => broke({ drain: { ms: 16_000, msMax: 15_000, left: '' } }),
  ],
  ['service did not come back', 'it came back', /kill/, () => broke({ unrecovered: ['kill-redis'] })],
  ['a process ended by itself', 'no process ended', /consumer-1/, () => broke({ ended: ['consumer-1'] })],
  [
    'one client makes others wait',
    'no client takes the service',
    /p99 of read 9000 ms/,
    () => broke({ abuses: [{ ...held, abused: { publish: 2, wait: 60, read: 9_000, tail: 20 } }] }),
  ],
  ['connections pile up', 'memory, connections', /9/, () => broke({ leaks: ['9 connections'] })],
  [
    'poison was taken',
    'every answer was one',
    /answered 200/,
    () => {
      const { books, evidence } = soundRun()
      books.notePoison(200, '{}')
      return evidence
    },
  ],
  [
    'a projection has folded an event twice',
    'projections equal a fold',
    /counts differs from its fold/,
    () => {
      const { log } = soundRun()
      const [live, rebuilt] = ['[7]', '[6]'].map(
        (counts) => new Map([...activityOf(log), ['counts', counts]]),
      )
      return broke({ projections: { live, rebuilt } as Projections })
    },
  ],
  [
    'projections and their folds have the same half of the events',
    'projections equal a fold',
    /activity counts 3 events of orders, of 6/,
    () => {
      const half = activityOf(soundRun().log.slice(3))
      return broke({ projections: { live: half, rebuilt: half } })
    },
  ],
  [
    'there are no projections',
    'projections equal a fold',
    /activity counts 0 events/,
    () => broke({ projections: { live: new Map(), rebuilt: new Map() } }),
  ],
  [
    'an event is gone that was acknowledged after the loss',
    'every acknowledged event is stored',
    /b-3/,
    () => ({
      ...withLog((log) => log.slice(0, -1)),
      losses: [lossOf({ from: 0, until: 0 })],
      admissions: ['lost'],
    }),
  ],
  [
    'an event is gone that was accounted for before the loss',
    'every acknowledged event is stored',
    /b-3 was acknowledged/,
    () => ({ ...afterLoss(lossAt), losses: [lossOf({ safeBefore: ackedAt + 1 })], admissions: ['lost'] }),
  ],
  [
    'an event is gone, and the loss was another topic’s',
    'every acknowledged event is stored',
    /b-3 was acknowledged/,
    () => ({ ...afterLoss(lossAt), losses: [lossOf({ topic: 'mail' })], admissions: ['lost'] }),
  ],
  [
    'only an earlier loss was admitted',
    'every acknowledged event is stored',
    /b-3 was lost .* only of a loss at 2025/,
    () => ({ ...afterLoss('2025-12-31T23:59:00.000000Z'), admissions: ['lost'] }),
  ],
  [
    'a loss was not admitted',
    'every acknowledged event is stored',
    /b-3 was lost .* \/stats says nothing/,
    () => ({ ...afterLoss(null), admissions: ['lost'] }),
  ],
  [
    'a loss was not logged',
    'every acknowledged event is stored',
    /1 events were lost, and no log says so/,
    () => ({ ...afterLoss(lossAt), admissions: [] }),
  ],
  [
    'a loss was not logged, and of a later one nobody could know',
    'every acknowledged event is stored',
    /1 events were lost, and no log says so/,
    () => ({
      ...afterLoss(lossAt),
      losses: [lossOf(), { ...later, beside: ['kill-gateway'] }],
      admissions: [],
    }),
  ],
  [
    'of a torn end less was counted than is gone',
    'every acknowledged event is stored',
    /orders is without 1 acknowledged events, and \/stats counts 0/,
    () => afterTear({ lost: 0 }),
  ],
  [
    'less was counted than is gone with a torn end, and later all streams went',
    'every acknowledged event is stored',
    /orders is without 1 acknowledged events, and \/stats counts 0/,
    () => afterTear({ lost: 0 }, later),
  ],
  [
    'more is not in what was accepted than later went with all streams',
    'the books, HTTP and SQL agree',
    /accepted is 7; by the answers it must be from 8 to 9/,
    () => afterTear({ lost: 0 }, later),
  ],
  [
    'what was lost with a torn end is not in what was accepted',
    'the books, HTTP and SQL agree',
    /accepted is 7; by the answers it must be from 8 to 9/,
    () => afterTear({ lost: 0 }),
  ],
]

test.each(broken)('%s', (_, promise, says, run) => {
  const found = violations(run())
  const name = Object.keys(checks).find((one) => one.startsWith(promise))
  expect(found[name ?? 'no such check']).toMatch(says)
})

test('every check is shown to fail', () => {
  const shown = Object.keys(checks).filter((name) => broken.some(([, promise]) => name.startsWith(promise)))
  expect(shown).toEqual(Object.keys(checks))
})

test('a loss that was admitted is no violation', () => {
  expect(violations({ ...afterLoss(lossAt), admissions: ['redis has lost the stream'] })).toEqual({})
})

test('a torn end that was counted is no violation, nor one that only a killed gateway knew of', () => {
  expect(violations(afterTear({ lost: 1 }))).toEqual({})
  expect(violations(afterTear({ lost: 1 }, later))).toEqual({})
  const forgotten = { ...afterLoss(null), losses: [lossOf({ ...torn, beside: ['kill-gateway'] })] }
  expect(violations(forgotten)).toEqual({})
})

test('a duplicate that took the place of an entry that Redis lost may stand out of order, others may not', () => {
  const swapped = withLog(([first, ...rest]) =>
    rest.toSpliced(2, 0, first as LogRow).map((row, at) => ({ ...row, seq: at + 1 })),
  )
  const orderAfter = (loss: Loss) =>
    violations({ ...swapped, losses: [loss] })['the order of each source is kept']
  expect(orderAfter(lossOf())).toBeUndefined()
  for (const other of [
    lossOf({ from: 0, until: 0 }),
    lossOf({ topic: 'mail' }),
    lossOf({ safeBefore: ackedAt + 1 }),
  ])
    expect(orderAfter(other)).toMatch(/a-1, after a-2/)
})

test('what /stats does not know is not taken for none: neither topics nor consumers', async () => {
  const { books, evidence } = soundRun()
  let topics: unknown
  await using server = createServer((_, reply) => reply.end(JSON.stringify({ topics, consumers: null })))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  await using door = openDoor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1)
  const isBackWith = async (said: unknown) => {
    topics = said
    const recovery = awaitRecovery(door, [topic], books, 200)
    books.note(fact('a', 1), 0, 'ok', ackedAt)
    return (await recovery) !== undefined
  }
  expect(await isBackWith(null)).toBe(false) // neither store has answered
  expect(await isBackWith([])).toBe(false)
  expect(await isBackWith([{ topic, ...evidence.stats.get(topic) }])).toBe(true)
  const sample = () => takeSample({ strayNames: () => 0 } as Target, door, [topic])
  await expect(sample()).rejects.toThrow('the consumers')
  expect(await findLeaks({} as Sample, sample, AbortSignal.timeout(50))).toHaveLength(1)
})

const lossAt = '2026-01-01T00:00:00.000000Z'

/** The last event is gone with Redis's data, and /stats says so or not. */
function afterLoss(lossAt: string | null): Evidence {
  const evidence = withLog((log) => log.slice(0, -1))
  const stats = new Map([...evidence.stats].map(([name, row]) => [name, { ...row, loss_at: lossAt }]))
  return { ...evidence, stats, losses: [lossOf()] }
}

/** It cannot have taken anything of a sound run. */
const later = lossOf({ from: ackedAt + 9_000, until: ackedAt + 9_001, safeBefore: ackedAt + 8_000 })

const torn = { fault: 'truncate-aof' }

/** The last event is gone with the end of the append-only file; and perhaps there was another loss. */
function afterTear({ lost }: { lost: number }, ...others: Loss[]): Evidence {
  const evidence = afterLoss(lossAt)
  const row = evidence.stats.get(topic) as StatsRow
  const stats = new Map([[topic, { ...row, lost, accepted: (row.accepted ?? 0) + lost }]])
  const losses = [lossOf(torn), ...others]
  return withSql({ lost }, { ...evidence, stats, losses, admissions: ['redis has lost'] })
}

const broke = (differs: Partial<Evidence>): Evidence => ({ ...soundRun().evidence, ...differs })

function withLog(change: (log: LogRow[]) => (LogRow | undefined)[]): Evidence {
  const { books, log } = soundRun()
  return evidenceOf(books, change(log) as LogRow[])
}

const renumbered = (log: (LogRow | undefined)[]) => log.map((row, index) => row && { ...row, seq: index + 1 })

function withStats(differs: Partial<StatsRow>): Evidence {
  const { evidence } = soundRun()
  const row = evidence.stats.get(topic) as StatsRow
  return { ...evidence, stats: new Map([[topic, { ...row, ...differs }]]) }
}

const sqlOf = (evidence: Evidence) => evidence.sql as NonNullable<Evidence['sql']>

function withSql(differs: Record<string, number>, evidence = soundRun().evidence): Evidence {
  const sql = sqlOf(evidence)
  const row = sql.rows.get(topic)
  return { ...evidence, sql: { ...sql, rows: new Map([[topic, { ...row, ...differs } as never]]) } }
}

function withSeen(change: (seen: Seen[]) => unknown[]): Evidence {
  const { evidence } = soundRun()
  const seen = [...(evidence.seen.get(topic) ?? [])]
  return { ...evidence, seen: new Map([[topic, change(seen) as never]]) }
}

function withTail(change: (log: LogRow[]) => TailSeen): Evidence {
  const { evidence, log } = soundRun()
  return { ...evidence, tails: [change(log)] }
}

function withReceipt(about: Fact, receipt: Receipt): Evidence {
  const { books, evidence } = soundRun()
  books.noteReceipt(about, receipt)
  return evidence
}
