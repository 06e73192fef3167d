/**
 * A worker asks for events. One function of the database is the whole of it: see the migrations. It gives rows, or the text of
 * the answer's items, which whoever passes them on need not take apart and put together again.
 */
import { randomBytes } from 'node:crypto'
import { StoreUnavailable } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { utc } from '../postgres/time.ts'
import { type EventRow, toEvent } from '../read/row.ts'
import { callAndRead, callOnce, literal } from './call.ts'
import { type Granted, grantToken, tokenOf } from './token.ts'
import type { NotPulled, Pulled, PulledEvent, PulledJson, PullRequest, PullSummary } from './types.ts'

/** What a pull says beside its events, as the functions have it. */
export interface Summary {
  readonly state: string
  readonly subscription: number
  readonly generation: number
  readonly lease_s: number
  readonly lease_until: string | null
  readonly more: boolean
  readonly blocked_by: readonly { topic: string; source: string | null }[]
  readonly next_due_at: string | null
}

interface PullSaid extends Summary {
  readonly state: 'given' | NotPulled
  /** Hexadecimal digits; it is there even if nothing was granted. */
  readonly grant: string
}

/** An event, or in the last row the summary as the payload, without a seq. */
export type ItemRow = Omit<EventRow, 'seq'> & {
  seq: string | null
  topic: string
  topic_id: number
  epoch: number
  attempt: number
  /** When the function was through, beside the summary alone. */
  now: string | null
}

/**
 * Hands out events that are due, then events that were never handed out, under one grant. It waits for whoever else pulls or
 * settles in this subscription. The database's clock counts alone. Rejects with `StoreUnavailable`; the events may be leased
 * then, and come again when the lease has run out.
 */
export async function pull(store: Store, request: PullRequest): Promise<Pulled | NotPulled> {
  const rows = await callOnce<ItemRow>(store, 'pull', pulling('pull', request, newGrant()))
  const summary = summaryIn<PullSaid>(rows)
  if (summary.state !== 'given') return summary.state
  const granted = grantedBy(summary)
  const items = itemsIn(rows, granted)
  return { ...shown(summary), items, grant: items.length === 0 ? null : grantToken(granted) }
}

/** The same as text, which is made once the turn is over. */
export async function pullJson(store: Store, request: PullRequest): Promise<PulledJson | NotPulled> {
  const grantHex = newGrant()
  const after = `SELECT * FROM subscriptions.granted_json(${literal(request.name)}, ${literal(grantHex)})`
  const statement = pulling('pull_grant', request, grantHex)
  const called = await callAndRead<ItemRow, PortionRow>(store, 'pull', statement, after)
  const summary = summaryIn<PullSaid>(called.rows)
  if (summary.state !== 'given') return summary.state
  const items = called.after.map(({ topic, events, items: json }) => ({
    topic: topic as TopicName,
    events,
    json,
  }))
  // Of what was granted, all may be gone by then: somebody has sent the subscription elsewhere.
  const more = summary.more || (summary.lease_until !== null && items.length === 0)
  return { ...shown(summary), more, items, grant: items.length === 0 ? null : grantToken(grantedBy(summary)) }
}

const newGrant = (): string => randomBytes(16).toString('hex')

function pulling(
  called: 'pull' | 'pull_grant',
  { name, max, bytesMax, worker }: PullRequest,
  grantHex: string,
): string {
  const values = [name, max, bytesMax, worker ?? null, grantHex].map(literal).join(', ')
  return `SELECT p.*, ${now} AS now FROM subscriptions.${called}(${values}) p`
}

/** Of one exception each. */
interface PortionRow {
  readonly topic: string
  readonly events: number
  readonly items: string
}

export const now = 'CASE WHEN p.seq IS NULL THEN clock_timestamp()::text END'

export const msUntil = (time: string | null, at: string): number | null =>
  time === null ? null : Math.max(0, Date.parse(utc(time)) - Date.parse(utc(at)))

export function summaryIn<T extends Summary>(rows: readonly ItemRow[]): T & { readonly now: string } {
  const { seq, payload, now: at } = rows.at(-1) ?? {}
  if (seq !== null || payload === undefined || typeof at !== 'string') {
    throw new StoreUnavailable('pull failed: an answer without a summary')
  }
  return { ...(JSON.parse(payload) as T), now: at }
}

const grantedBy = ({ grant, subscription, generation }: PullSaid): Granted => ({
  grant: Buffer.from(grant, 'hex'),
  subscription,
  generation,
})

function shown(summary: Summary & { readonly now: string }): Omit<PullSummary, 'grant'> {
  const { lease_s, lease_until, more, blocked_by, next_due_at, now: at } = summary
  return {
    leaseSeconds: lease_s,
    leaseUntil: lease_until && utc(lease_until),
    more,
    blockedBy: blocked_by.map(({ topic, source }) => ({ topic: topic as TopicName, source })),
    nextDueAt: next_due_at && utc(next_due_at),
    nextDueInMs: msUntil(next_due_at, at),
  }
}

export const itemsIn = (rows: readonly ItemRow[], granted: Granted): PulledEvent[] =>
  rows.filter(({ seq }) => seq !== null).map((row) => itemOf(row as ItemRow & EventRow, granted))

function itemOf(row: ItemRow & EventRow, granted: Granted): PulledEvent {
  const { topic_id: topicId, topic, epoch, attempt } = row
  const event = toEvent(topic, row, epoch)
  return { token: tokenOf(granted, { topicId, epoch, seq: event.seq }), topicId, attempt, event }
}
