/** A dispatcher's turn in a subscription. One function of the database is the whole of it: see the migrations, and ADR 49. */
import type { Store } from '../postgres/connect.ts'
import { callOnce, literal } from '../subscriptions/call.ts'
import { type ItemRow, itemsIn, msUntil, now, type Summary, summaryIn } from '../subscriptions/pull.ts'
import type {
  AttemptReport,
  JudgeOptions,
  PushedEvent,
  PushedPlace,
  PushOutcome,
  PushTurn,
  PushTurnRequest,
} from './types.ts'

interface PushSummary extends Summary {
  readonly state: PushTurn['state']
  /** How many events are in each array. */
  readonly arrays?: readonly number[]
  readonly more_first?: boolean
  readonly more_again?: boolean
  readonly held_back?: boolean
  readonly endpoint?: PushTurn['endpoint']
  readonly is_probe?: boolean
  readonly held_ms?: number | null
  readonly probe_ms?: number | null
}

/**
 * Writes down what came of events, and hands out others, in one transaction. It waits for whoever else has a turn in this
 * subscription. The database's clock counts alone. Rejects with `StoreUnavailable`: then it may have happened, and the same
 * outcomes again settle nothing twice; their attempts may be written down twice.
 */
export async function takePushTurn(store: Store, request: PushTurnRequest): Promise<PushTurn> {
  const { name, outcomes, firstMax, againMax, max, bytesMax, worker, grant, judge, target } = request
  const options = { ...judgeJson(judge), ...target, array_bytes: request.arrayBytesMax }
  const values = [
    literal(name),
    outcomesLiteral(outcomes.map(outcomeJson)),
    ...[firstMax, againMax, max, bytesMax, worker, grant.toString('hex')].map(literal),
    `${literal(JSON.stringify(options))}::json`,
  ]
  const rows = await callOnce<ItemRow>(
    store,
    'a turn of deliveries',
    `SELECT p.*, ${now} AS now FROM subscriptions.push_turn(${values.join(', ')}) p`,
  )
  const { now: at, ...summary } = summaryIn<PushSummary>(rows)
  const { subscription, generation, state } = summary
  const due = [
    state === 'given' ? msUntil(summary.next_due_at ?? null, at) : null,
    state === 'held' ? (summary.held_ms ?? null) : null,
    state === 'disabled' ? (summary.probe_ms ?? null) : null,
  ].filter((ms) => ms !== null)
  const items = itemsIn(rows, { grant, subscription, generation })
  return {
    state,
    endpoint: summary.endpoint ?? null,
    items,
    requests: requestsOf(items, summary.arrays ?? []),
    isProbe: summary.is_probe ?? false,
    moreFirst: summary.more_first ?? false,
    moreAgain: summary.more_again ?? false,
    heldBack: summary.held_back ?? false,
    nextDueInMs: due.length === 0 ? null : Math.min(...due),
  }
}

/** What goes again comes before what is in arrays. */
function requestsOf(items: readonly PushedEvent[], arrays: readonly number[]): PushedEvent[][] {
  let end = items.length - arrays.reduce((sum, count) => sum + count, 0)
  return [
    ...items.slice(0, end).map((item) => [item]),
    ...arrays.map((count) => {
      end += count
      return items.slice(end - count, end)
    }),
  ]
}

const outcomeJson = ({ token, also, do: action, delaySeconds, reason, report }: PushOutcome) => ({
  token,
  also: also?.map(({ topicId, ...one }) => ({ ...one, topic_id: topicId })),
  do: action,
  delay: delaySeconds,
  reason,
  ...(report && { ...reportJson(report), retry_after_s: report.retryAfterSeconds }),
})

/** As `note_attempts` wants it. */
export const reportJson = (report: AttemptReport & Partial<PushedPlace>) => ({
  age_ms: Math.round(report.ageMs ?? 0),
  topic_id: report.topicId,
  epoch: report.epoch,
  seq: report.seq,
  attempt: report.attempt ?? 1,
  duration_ms: Math.round(report.durationMs),
  status: report.status,
  retry_in_s: report.retryInSeconds,
  is_cut: report.response?.cut ?? false,
  kind: report.kind,
  state: report.state,
  error: report.error,
  request: report.request,
  response: report.response && { headers: report.response.headers },
  response_body: report.response?.body,
})

/** Outcomes as SQL. Others have written parts of them, and PostgreSQL has no text with a NUL or with half a pair in it. */
export function outcomesLiteral(outcomes: readonly object[]): string {
  const text = JSON.stringify(outcomes)
  // Which stand there as these escapes, and seldom do: a function for each value takes ten times as long.
  const safe = /\\u(?:0000|d[89a-f])/.test(text)
    ? JSON.stringify(outcomes, (_key, value) => (typeof value === 'string' ? textSafe(value) : value))
    : text
  return `${literal(safe)}::json`
}

const textSafe = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD')

const judgeJson = (judge: JudgeOptions) => ({
  degrade_after: judge.degradeAfter,
  disable_after_s: judge.disableAfterSeconds,
  disable_span_s: judge.disableSpanSeconds,
  probe_s: judge.probeSeconds,
  hold_max_s: judge.holdSecondsMax,
})
