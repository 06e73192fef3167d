/**
 * Dead letters and conflicts as one list. Their tables are the consumers' and never change; what somebody did about a letter
 * stands in `operations.settled`, and one that has no row there is open.
 */

import type { TopicName } from '@sekali/core/event'
import type { LetterId, LetterKind, LettersCursor } from '@sekali/core/letter'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'

/** Deliveries are of subscriptions: see subscriptions/dead.ts. */
export type StoredKind = Exclude<LetterKind, 'delivery'>

export type Became = 'redriven' | 'discarded' | 'published_as'

/** What somebody did about a letter. */
export interface Settled {
  readonly became: Became
  readonly at: string
  readonly by: string
  /** The operation that did it. */
  readonly operation: number | null
  readonly reason: string | null
  /** The event id under which it was published. */
  readonly eventId: string | null
}

export interface Letter extends LetterId {
  readonly kind: StoredKind
  readonly topic: TopicName
  readonly eventId: string | null
  /** Of an entry; null of a conflict. */
  readonly entryId: string | null
  /** Of the event that has a conflict's id; null of an entry. */
  readonly seq: number | null
  /** `conflict`, `malformed_entry`, `key_collision`, or the SQLSTATE with which PostgreSQL refused it. */
  readonly reason: string
  readonly receivedAt: string
  readonly storedAt: string
  /** Whether its content is kept; otherwise this is a stub. */
  readonly isKept: boolean
  /** `undefined` while it is open. */
  readonly settled: Settled | undefined
}

/** Which letters. All that is given must fit. */
export interface LettersFilter {
  readonly kind?: StoredKind | undefined
  readonly topic?: TopicPattern | undefined
  readonly reason?: string | undefined
  /** Of the time of receipt: from this on, before that. UTC. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly state?: 'open' | 'all' | Became | undefined
}

export interface LettersPage extends LettersFilter {
  /** Topics that may be shown. */
  readonly within: readonly TopicPattern[]
  readonly after: LettersCursor
  readonly limit: number
}

/** A page, newest first: of what is behind `after`, letters of both kinds by when they were stored. Rejects with `StoreUnavailable`. */
export async function listLetters(store: Store, page: LettersPage): Promise<Letter[]> {
  const { topic, within, reason, from, to, state = 'open', limit } = page
  const kinds = (['entry', 'conflict'] as const).filter(
    (kind) => (page.kind ?? kind) === kind && (page.reason !== 'conflict' || kind === 'conflict'),
  )
  const lists = await Promise.all(
    kinds.map((kind) =>
      query(
        store,
        `${selectOf(kind)}
         WHERE ($1::bigint IS NULL OR l.id < $1) AND t.name ~ $2 AND t.name ~ ANY ($3)
           AND ($4::text IS NULL OR ${columns[kind].reason} = $4)
           AND ($5::timestamptz IS NULL OR l.received_at >= $5) AND ($6::timestamptz IS NULL OR l.received_at < $6)
           AND ($7 = 'all' OR coalesce(s.became, 'open') = $7)
         ORDER BY l.id DESC LIMIT $8`,
        [
          page.after[kind] ?? null,
          topic?.regExp.source ?? '',
          within.map(({ regExp }) => regExp.source),
          reason ?? null,
          from ?? null,
          to ?? null,
          state,
          limit,
        ],
      ),
    ),
  )
  // Times of one kind need not be in the order of its ids, and the cursor needs that order.
  return merge(lists, limit)
}

/** Takes the newest of the heads, so that each list keeps its own order. */
function merge(lists: readonly (readonly Letter[])[], limit: number): Letter[] {
  const [one = [], other = []] = lists
  const merged: Letter[] = []
  let at = 0
  while (merged.length < limit && merged.length < one.length + other.length) {
    const first = one[at]
    const second = other[merged.length - at]
    const takesFirst = second === undefined || (first !== undefined && first.storedAt >= second.storedAt)
    merged.push((takesFirst ? first : second) as Letter)
    if (takesFirst) at += 1
  }
  return merged
}

/** How many letters somebody has dealt with, by the outcome that counts them. Rejects with `StoreUnavailable`. */
export async function countSettled(
  store: Store,
): Promise<{ readonly dead: number; readonly conflicts: number }> {
  const { rows } = await ask<{ dead: string; conflicts: string }>(
    store,
    `SELECT count(*) FILTER (WHERE kind = 'entry') AS dead, count(*) FILTER (WHERE kind = 'conflict') AS conflicts
     FROM operations.settled`,
    [],
  )
  return { dead: Number(rows[0]?.dead ?? 0), conflicts: Number(rows[0]?.conflicts ?? 0) }
}

/** The letter of an id; `undefined` if there is none. Rejects with `StoreUnavailable`. */
export async function findLetter(
  store: Store,
  { kind, number }: Pick<Letter, 'kind' | 'number'>,
): Promise<Letter | undefined> {
  const [letter] = await query(store, `${selectOf(kind)} WHERE l.id = $1`, [number])
  return letter
}

/** The content of an entry: its fields and values as a JSON array of strings; null of a stub. */
export async function readFields(store: Store, number: number): Promise<string | null> {
  const { rows } = await ask<{ fields: string | null }>(
    store,
    'SELECT fields FROM dead_letters WHERE id = $1',
    [number],
  )
  return rows[0]?.fields ?? null
}

/** What an event says beside its topic and id. */
export interface Content {
  readonly timestamp: string
  readonly source: string
  /** As it was sent. */
  readonly payload: string
}

/** Both contents of a conflict. */
export interface Compared {
  /** Null of a stub. */
  readonly received: Content | null
  /** The event that has the id. */
  readonly stored: (Content & { readonly receivedAt: string; readonly storedAt: string }) | null
}

/** Rejects with `StoreUnavailable`. */
export async function readConflict(store: Store, number: number): Promise<Compared> {
  const { rows } = await ask<Record<string, string | null>>(
    store,
    `SELECT c.timestamp::text, c.source, c.payload::text, e.timestamp::text AS e_timestamp, e.source AS e_source,
       e.payload::text AS e_payload, e.received_at::text AS e_received_at, e.stored_at::text AS e_stored_at
     FROM conflicts c LEFT JOIN events e ON e.topic_id = c.topic_id AND e.seq = c.seq
     WHERE c.id = $1`,
    [number],
  )
  const { timestamp, source, payload, e_timestamp, e_source, e_payload, e_received_at, e_stored_at } =
    rows[0] ?? {}
  const content = (at?: string | null, from?: string | null, text?: string | null): Content | null =>
    typeof at === 'string' && typeof from === 'string' && typeof text === 'string'
      ? { timestamp: utc(at), source: from, payload: text }
      : null
  const stored = content(e_timestamp, e_source, e_payload)
  return {
    received: content(timestamp, source, payload),
    stored: stored && { ...stored, receivedAt: utc(e_received_at ?? ''), storedAt: utc(e_stored_at ?? '') },
  }
}

const columns = {
  entry: { table: 'dead_letters', entryId: 'l.entry_id', seq: 'NULL', reason: 'l.reason', kept: 'l.fields' },
  conflict: { table: 'conflicts', entryId: 'NULL', seq: 'l.seq', reason: `'conflict'`, kept: 'l.payload' },
} as const

function selectOf(kind: StoredKind): string {
  const { table, entryId, seq, reason, kept } = columns[kind]
  return `
    SELECT '${kind}' AS kind, l.id, t.name AS topic, l.event_id, ${entryId} AS entry_id, ${seq} AS seq,
      ${reason} AS reason, l.received_at::text, l.stored_at::text, ${kept} IS NOT NULL AS is_kept,
      s.became, s.at::text, s.by, s.operation, s.reason AS why, s.event_id AS new_event_id
    FROM ${table} l JOIN topics t ON t.id = l.topic_id
    LEFT JOIN operations.settled s ON s.kind = '${kind}' AND s.letter = l.id`
}

interface Row {
  readonly kind: StoredKind
  readonly id: string
  readonly topic: string
  readonly event_id: string | null
  readonly entry_id: string | null
  readonly seq: string | null
  readonly reason: string
  readonly received_at: string
  readonly stored_at: string
  readonly is_kept: boolean
  readonly became: Became | null
  readonly at: string
  readonly by: string
  readonly operation: string | null
  readonly why: string | null
  readonly new_event_id: string | null
}

async function query(store: Store, text: string, values: unknown[]): Promise<Letter[]> {
  const { rows } = await ask<Row>(store, text, values)
  return rows.map((row) => ({
    kind: row.kind,
    number: Number(row.id),
    topic: row.topic as TopicName,
    eventId: row.event_id,
    entryId: row.entry_id,
    seq: row.seq === null ? null : Number(row.seq),
    reason: row.reason,
    receivedAt: utc(row.received_at),
    storedAt: utc(row.stored_at),
    isKept: row.is_kept,
    settled:
      row.became === null
        ? undefined
        : {
            became: row.became,
            at: utc(row.at),
            by: row.by,
            operation: row.operation === null ? null : Number(row.operation),
            reason: row.why,
            eventId: row.new_event_id,
          },
  }))
}

const ask = <R extends object>(store: Store, text: string, values: unknown[]) =>
  store.pool.query<R>(text, values).catch((error: unknown) => {
    throw asStoreError(error, 'read of dead letters')
  })
