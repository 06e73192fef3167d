/** Ways to break a sound run. */
import type { Evidence, Loss, StatsRow } from '../../src/check/evidence.ts'
import type { Fact } from '../../src/clients/content.ts'
import type { LogRow, Seen } from '../../src/clients/log.ts'
import type { Receipt } from '../../src/clients/receipt.ts'
import type { TailSeen } from '../../src/clients/tails.ts'
import { ackedAt, evidenceOf, lossOf, soundRun, topic } from '../evidence.ts'

/** A broken run, the check that must notice it, by the beginning of its name, and what that check must say. */
export type Breach = [what: string, promise: string, says: RegExp, run: () => Evidence]

export const lossAt = '2026-01-01T00:00:00.000000Z'

/** The last event is gone with Redis's data, and /stats says so or not. */
export function afterLoss(lossAt: string | null): Evidence {
  const evidence = withLog((log) => log.slice(0, -1))
  const stats = new Map([...evidence.stats].map(([name, row]) => [name, { ...row, loss_at: lossAt }]))
  return { ...evidence, stats, losses: [lossOf()] }
}

/** It cannot have taken anything of a sound run. */
export const later = lossOf({ from: ackedAt + 9_000, until: ackedAt + 9_001, safeBefore: ackedAt + 8_000 })

export const torn = { fault: 'truncate-aof' }

/** The last event is gone with the end of the append-only file; and perhaps there was another loss. */
export function afterTear({ lost }: { lost: number }, ...others: Loss[]): Evidence {
  const evidence = afterLoss(lossAt)
  const row = evidence.stats.get(topic) as StatsRow
  const stats = new Map([[topic, { ...row, lost, accepted: (row.accepted ?? 0) + lost }]])
  const losses = [lossOf(torn), ...others]
  return withSql({ lost }, { ...evidence, stats, losses, admissions: ['redis has lost'] })
}

export const broke = (differs: Partial<Evidence>): Evidence => ({ ...soundRun().evidence, ...differs })

export function withLog(change: (log: LogRow[]) => (LogRow | undefined)[]): Evidence {
  const { books, log } = soundRun()
  return evidenceOf(books, change(log) as LogRow[])
}

export const renumbered = (log: (LogRow | undefined)[]) =>
  log.map((row, index) => row && { ...row, seq: index + 1 })

export function withStats(differs: Partial<StatsRow>): Evidence {
  const { evidence } = soundRun()
  const row = evidence.stats.get(topic) as StatsRow
  return { ...evidence, stats: new Map([[topic, { ...row, ...differs }]]) }
}

export const sqlOf = (evidence: Evidence) => evidence.sql as NonNullable<Evidence['sql']>

export function withSql(differs: Record<string, number>, evidence = soundRun().evidence): Evidence {
  const sql = sqlOf(evidence)
  const row = sql.rows.get(topic)
  return { ...evidence, sql: { ...sql, rows: new Map([[topic, { ...row, ...differs } as never]]) } }
}

export function withSeen(change: (seen: Seen[]) => unknown[]): Evidence {
  const { evidence } = soundRun()
  const seen = [...(evidence.seen.get(topic) ?? [])]
  return { ...evidence, seen: new Map([[topic, change(seen) as never]]) }
}

export function withTail(change: (log: LogRow[]) => TailSeen): Evidence {
  const { evidence, log } = soundRun()
  return { ...evidence, tails: [change(log)] }
}

export function withReceipt(about: Fact, receipt: Receipt): Evidence {
  const { books, evidence } = soundRun()
  books.noteReceipt(about, receipt)
  return evidence
}
