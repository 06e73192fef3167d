/**
 * Whether PostgreSQL was put back to an earlier state, such that other events would get numbers that readers know.
 *
 * A backup that was restored and a standby that was promoted although it lagged look alike: the head of the row is below
 * the head that Redis remembers. They differ in what the stream still holds. If it has every entry between the row's
 * position and the one that is remembered, the same events get the same numbers again, and nobody need be told. Otherwise
 * the log forks here, and another epoch begins.
 *
 * Nobody can find out once Redis has lost its memory as well: then `sekali restored` begins an epoch.
 */
import type { Account } from '@sekali/core/account'
import type { Head } from '@sekali/core/head'
import { advance, comparePositions, origin, type Position } from '@sekali/core/position'
import { ask, type Broker } from '../redis/connect.ts'
import { decode } from '../redis/entry.ts'
import { streamKey } from '../redis/keys.ts'
import type { TurnRead } from './account.ts'
import { askMemories, type Remembered } from './remembered.ts'

/** A topic's row, as far as this looks at it. */
export type Row = Pick<Account, 'topic' | 'group' | 'position' | 'accounted'> &
  Pick<Head, 'topicId' | 'head' | 'epoch'>

type LockedRow = Row & Pick<Account, 'history'>

export interface NewEpoch {
  readonly epoch: number
  /** The last seq that it has in common with those before. */
  readonly forkedAt: number
  /** The smallest such seq of all epochs so far. */
  readonly forkedAtMin: number
}

/** The packs that are looked at in one call. */
const pagePacks = 200
/** Some tenths of a second. Behind it nobody knows, and then another epoch is right, if perhaps not needed. */
const countedCharsMax = 32 * 1024 * 1024

/**
 * The epoch that the turn which read `read` has to begin; mostly none. Call it before anything is stored. It asks Redis
 * only where there is no stream, or where the row is behind. Rejects with `BrokerUnavailable`.
 */
export async function findNewEpoch(
  broker: Broker,
  row: LockedRow,
  read: TurnRead | undefined,
): Promise<NewEpoch | undefined> {
  const { own, holder } = read?.memories ?? (await askMemories(broker, row.topic, row.topicId))
  if (holder !== undefined && holder !== row.topic) {
    // The number was another topic's when this state was put back: cursors that have it mean nothing here.
    const theirs = (await askMemories(broker, holder, row.topicId)).own
    if (theirs !== undefined && theirs.epoch >= row.epoch) {
      return { epoch: Math.max(theirs.epoch, own?.epoch ?? 0) + 1, forkedAt: 0, forkedAtMin: 0 }
    }
  }
  if (own === undefined || own.epoch < row.epoch) return undefined
  const begin = (forkedAt: number): NewEpoch => ({
    epoch: own.epoch + 1,
    forkedAt,
    forkedAtMin: Math.min(forkedAt, own.forkedAtMin ?? forkedAt),
  })
  // The row does not know of forks, so it may have what they left behind: the log forks where the first of them did.
  if (own.epoch > row.epoch) return begin(Math.min(row.head, own.forkedAtMin ?? 0))
  if (row.head >= own.head) return undefined
  if (read !== undefined && (await isWhole(broker, row, own, read))) return undefined
  return begin(row.head)
}

/** Whether the stream has every entry from the row's position to the one that is remembered. */
async function isWhole(broker: Broker, row: LockedRow, own: Remembered, read: TurnRead): Promise<boolean> {
  if (own.group === null || own.group !== read.account.group) return false
  if (row.group === own.group) {
    if (hasAllBehind(row, own.position, read)) return true
    const held = await countEntries(broker, row, row.position, own.position)
    return held === own.accounted - row.accounted
  }
  // The state is one of before this stream. If nothing was stored until it began, nothing else can be missing.
  if (row.head !== own.headBefore) return false
  return (await countEntries(broker, row, origin, own.position)) === own.accounted
}

/**
 * Whether that is so at the first look, however much there is: streams are trimmed from the front, and who keeps entries
 * leaves the last one that may be forgotten (keep/note.ts). Only within one history of Redis's data: between two, an end of
 * the stream may have gone.
 */
const hasAllBehind = ({ position, history }: LockedRow, upTo: Position, read: TurnRead): boolean =>
  read.firstId !== undefined &&
  comparePositions(read.firstId, position) <= 0 &&
  comparePositions(read.deletedId, position) <= 0 &&
  comparePositions(read.lastId, upTo) >= 0 &&
  read.history === history

/**
 * How many entries the stream has after one position and up to another; `undefined` when they are too many to be counted
 * in a turn.
 */
async function countEntries(
  broker: Broker,
  { topic }: Row,
  after: Position,
  upTo: Position,
): Promise<number | undefined> {
  let count = 0
  let chars = 0
  for (let from = `(${after}`; ; ) {
    const rows = await ask(broker, `count of ${topic}`, (redis) =>
      redis.xrange(streamKey(broker, topic), from, upTo, 'COUNT', pagePacks),
    )
    for (const [index, [id, fields]] of rows.entries()) {
      for (const text of fields) chars += text.length
      const end = (rows[index + 1]?.[0] ?? advance(upTo, 1)) as Position
      count += decode(topic, id, fields, end).filter(
        ({ position }) => comparePositions(position, upTo) <= 0,
      ).length
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < pagePacks) return count
    if (chars > countedCharsMax) return undefined
    from = `(${last[0]}`
  }
}

/** Whether Redis remembers nothing of the topic, or an earlier state than its row's. */
export const isUnremembered = (
  own: Remembered | undefined,
  row: Pick<Row, 'epoch' | 'head' | 'position'>,
): boolean =>
  own === undefined ||
  own.epoch < row.epoch ||
  (own.epoch === row.epoch &&
    (own.head < row.head || (own.head === row.head && comparePositions(own.position, row.position) < 0)))

/**
 * What there is to remember of a turn once it is committed: how far the topic has come. `firstFork` is the smallest seq at
 * which it has forked, as PostgreSQL has it: for an epoch that Redis does not know.
 */
export function rememberedAfter(
  row: Row,
  { own, group }: { readonly own: Remembered | undefined; readonly group: string | null },
  { head, position, accounted }: Pick<Remembered, 'head' | 'position' | 'accounted'>,
  {
    newEpoch,
    firstFork,
  }: { readonly newEpoch?: NewEpoch | undefined; readonly firstFork?: number | undefined },
): Remembered {
  const epoch = newEpoch?.epoch ?? row.epoch
  // The rows do not know of forks that came after the state that was put back; Redis may.
  const known = Math.min(firstFork ?? 0, own?.forkedAtMin ?? Number.POSITIVE_INFINITY)
  const forkedAtMin = own?.epoch === epoch ? own.forkedAtMin : epoch === 1 ? null : known
  return {
    epoch,
    head,
    position,
    accounted,
    topicId: row.topicId,
    group,
    headBefore: group !== row.group ? row.head : own?.group === group ? own.headBefore : null,
    forkedAtMin: newEpoch?.forkedAtMin ?? forkedAtMin,
  }
}
