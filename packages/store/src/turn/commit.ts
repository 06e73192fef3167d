/**
 * Stores a turn's events: tells the known from the new, numbers the new ones in the order of the stream, adds them to
 * the log and counts the rest. ON CONFLICT is not needed, because the row lock makes this transaction the topic's
 * only writer; should somebody write past it, the unique index of keys refuses.
 *
 * There are two ways, which give the same:
 * - a look-up of the ids, then COPY of the new ones;
 * - where nothing has been known for long: COPY at once, under a savepoint. If the unique index refuses, back to the
 *   savepoint and look up. That saves a third of what a turn costs, and a wrong guess costs a COPY.
 *
 * Of the events of one id, the first decides: the one that is stored, or else the first of the batch. Each later one is
 * a duplicate of it, or a conflict with it, whatever came in between. So one round settles a batch, however often the
 * content of an id changes in it.
 *
 * Several topics' events go together: a small turn costs its round trips and its flush to disk, not its events.
 */
import type { Outcomes } from '@sekali/core/figures'
import { isTimeExact } from '@sekali/core/position'
import type { Store, Tx } from '../postgres/connect.ts'
import { asStoreError, isKnownEvent } from '../postgres/errors.ts'
import { type Conflict, keepConflicts } from './conflicts.ts'
import { copyEvents, type Keyed, type Received } from './copy.ts'
import { type EntryId, keepEntryIds } from './entry-ids.ts'
import { createKept } from './kept.ts'
import { type Content, findKnown, hasSameContent, type Known } from './known.ts'
import { type Batch, contentOf, groupById, type Part, soughtOf } from './part.ts'
import type { Turn } from './turn.ts'

export type { Received }

/** How many of the events were stored, were there already, and came under an id that another content has. */
export interface BatchCounts extends Pick<Outcomes, 'stored' | 'duplicates' | 'conflicts'> {
  /** Bytes of content that were kept of the conflicts. */
  readonly kept: number
}

/** Commits a turn's events. `turn.head` is the topic's last seq so far. */
export async function commitEvents(tx: Tx, turn: Turn, received: readonly Received[]): Promise<BatchCounts> {
  const [counts] = await commitBatches(tx, [{ turn, received }])
  return counts as BatchCounts
}

/** Commits the events of several topics' turns, each of another topic. Resolves with the counts of each. */
export async function commitBatches(tx: Tx, batches: readonly Batch[]): Promise<BatchCounts[]> {
  const parts = batches.map(groupById)
  const known = await storeNew(tx, parts)
  const conflicts: Conflict[] = []
  const entryIds: EntryId[] = []
  const counts = parts.map((part, partAt) => judge(part, known[partAt] as KnownFirsts, conflicts, entryIds))
  await keepConflicts(tx, conflicts)
  await keepEntryIds(tx, entryIds)
  return counts
}

/** The events whose ids were known, by the index of their first in a part. */
type KnownFirsts = ReadonlyMap<number, Known>

/** Counts what has come of a part's events, and adds to `conflicts` and `entryIds`. */
function judge(part: Part, known: KnownFirsts, conflicts: Conflict[], entryIds: EntryId[]): BatchCounts {
  const { turn, received, firsts, indices } = part
  const { topicId } = turn
  const seqs = seqsOf(part, known)
  const kept = createKept(turn)
  const contents = new Map<number, Content>()
  let conflicting = 0
  for (const [eventAt, item] of received.entries()) {
    const index = indices[eventAt] as number
    const first = firsts[index] as Received
    const seq = seqs[index] as number
    if (first === item && !known.has(index)) {
      noteEntryId(entryIds, item, { topicId, seq, isConflict: false })
      continue
    }
    const before = known.get(index) ?? contents.get(index) ?? contentOf(part, first)
    contents.set(index, before)
    if (hasSameContent(contentOf(part, item), before)) continue
    noteEntryId(entryIds, item, { topicId, seq, isConflict: true })
    conflicting += 1
    const isKept = kept.hasRoom(item.event.source, item.event.payload)
    conflicts.push({ topicId, seq, isKept, ...item })
  }
  const stored = firsts.length - known.size
  return {
    stored,
    conflicts: conflicting,
    duplicates: received.length - stored - conflicting,
    kept: kept.bytes,
  }
}

/** Adds the entry's id if its time does not hold it. */
function noteEntryId(entryIds: EntryId[], { position }: Received, of: Omit<EntryId, 'position'>): void {
  if (position !== undefined && !isTimeExact(position)) entryIds.push({ ...of, position })
}

/** The seq of each first: that of the event which has its id, or the next. */
function seqsOf({ turn, firsts }: Part, known: KnownFirsts): number[] {
  let head = turn.head
  return firsts.map((_, index) => known.get(index)?.seq ?? ++head)
}

/**
 * A turn of n events skips the look-up once the topic's last 10 × n events were all new. At the worst a publisher repeats
 * one event in 10 × n: then one turn in ten copies its rows twice.
 */
const newBefore = 10

/** Of each topic, by its id: how many events this process has stored since one came that was known. */
const streaks = new WeakMap<Store, Map<number, number>>()

export function streaksOf(store: Store): Map<number, number> {
  const ofStore = streaks.get(store) ?? new Map<number, number>()
  streaks.set(store, ofStore)
  return ofStore
}

/** Stores the events that are new, numbered from each topic's `head + 1`. Resolves with those of each part that are not. */
async function storeNew(tx: Tx, parts: readonly Part[]): Promise<KnownFirsts[]> {
  const streaks = streaksOf(tx.store)
  const streakOf = ({ turn }: Part) => streaks.get(turn.topicId) ?? 0
  const isGuessed = parts.every((part) => streakOf(part) >= newBefore * part.firsts.length)
  const known = (isGuessed && (await copyIfNew(tx, parts))) || (await copyUnknown(tx, parts))
  // The streaks are a guess for the turns to come. Should this turn be rolled back, the guess is none the worse.
  for (const [partAt, part] of parts.entries()) {
    streaks.set(part.turn.topicId, known[partAt]?.size === 0 ? streakOf(part) + part.firsts.length : 0)
  }
  return known
}

async function copyUnknown(tx: Tx, parts: readonly Part[]): Promise<KnownFirsts[]> {
  const ofTurns = new Map(parts.map(({ turn }) => [turn.topicId, new Map<number, Known>()]))
  const found = await findKnown(tx, parts.flatMap(soughtOf))
  for (const [{ turn, index }, event] of found) ofTurns.get(turn.topicId)?.set(index, event)
  const known = [...ofTurns.values()]
  await copyEvents(tx, numberNew(parts, known))
  return known
}

/** Adds all events; or none, and resolves with `undefined`, when one of their ids is taken. */
async function copyIfNew(tx: Tx, parts: readonly Part[]): Promise<KnownFirsts[] | undefined> {
  const none = parts.map((): KnownFirsts => new Map())
  try {
    await copyEvents(tx, numberNew(parts, none), 'SAVEPOINT guess; ')
    return none
  } catch (error) {
    const refused = asStoreError(error, 'copy')
    if (!isKnownEvent(refused)) throw refused
    await tx.$client.query('ROLLBACK TO SAVEPOINT guess')
    return undefined
  }
}

/** Gives each new event its number. */
function numberNew(parts: readonly Part[], known: readonly KnownFirsts[]): Keyed[] {
  const numbered: Keyed[] = []
  for (const [partAt, part] of parts.entries()) {
    const seqs = seqsOf(part, known[partAt] as KnownFirsts)
    for (const [index, { event, receivedAt }] of part.firsts.entries()) {
      if (known[partAt]?.has(index)) continue
      const seq = seqs[index] as number
      numbered.push({ topicId: part.turn.topicId, seq, event, receivedAt, hashes: part.hashes })
    }
  }
  return numbered
}
