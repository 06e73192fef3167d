import { accountAfter, type Settlement, type TurnRead } from '@sekali/broker/account'
import type { Committed } from '@sekali/broker/ack'
import type { Entry } from '@sekali/broker/entry'
import { type NewEpoch, rememberedAfter } from '@sekali/broker/new-epoch'
import type { Head } from '@sekali/core/head'
import type { Logger } from '@sekali/process/log'
import type { ReceivedEntry } from '@sekali/store/bisect'
import type { Tx } from '@sekali/store/connect'
import { keepDeadLetters } from '@sekali/store/dead-letters'
import { readFirstForks } from '@sekali/store/forks'
import type { Turn } from '@sekali/store/turn'

/** A turn, and what it has read; `undefined` stands for a topic that has no stream. */
export interface Pass {
  readonly turn: Turn
  readonly read: TurnRead | undefined
  /** The epoch that it has to begin, because PostgreSQL was put back to an earlier state. */
  readonly newEpoch: NewEpoch | undefined
}

/** What a pass changes in PostgreSQL. */
export interface Change {
  readonly pass: Pass
  /** `pass.turn`, with `keptBytes` as they are after the malformed entries. */
  readonly turn: Turn
  readonly group: string
  readonly after: Omit<Settlement, 'loss'>
  readonly loss: Settlement['loss']
  readonly received: readonly ReceivedEntry[]
  readonly malformed: readonly Entry[]
}

/** `undefined` when it changes nothing. */
export function changeOf(pass: Pass, log: Logger): Change | undefined {
  const { turn, read, newEpoch } = pass
  const { topic } = turn
  const { loss, ...after } = accountAfter(turn, read)
  const { lost, accounted, history } = after
  const group = read?.account.group ?? turn.group
  // After a restore it is not Redis that has lost something; `sayRestored` says what has happened.
  if (newEpoch !== undefined) log.debug({ topic, lost, loss }, 'gone before this state was put back')
  else if (loss)
    log.error({ topic, lost }, `redis has lost ${loss}, with at least ${lost} entries not stored yet`)
  else if (lost > 0) log.error({ topic, lost }, 'entries vanished from redis before they were stored')
  const entries = read?.entries ?? []
  // Entries that were read are stored even when Redis has counted fewer than there are; see accountAfter().
  const isSame =
    entries.length === 0 &&
    accounted === turn.accounted &&
    group === turn.group &&
    history === turn.history &&
    !loss
  if (group === null || isSame) return undefined
  const received = entries.filter((entry): entry is ReceivedEntry => entry.event !== undefined)
  const malformed = entries.filter(({ event }) => event === undefined)
  return { pass, turn, group, after, loss, received, malformed }
}

/** Stores the malformed entries as dead letters. Returns the change with the room for content that they leave. */
export async function keepMalformed(tx: Tx, change: Change): Promise<Change> {
  const { turn, malformed } = change
  if (malformed.length === 0) return change
  const letters = malformed.map((entry) => ({ ...entry, reason: 'malformed_entry' }))
  const kept = await keepDeadLetters(tx, turn, letters)
  return { ...change, turn: { ...turn, keptBytes: turn.keptBytes + kept } }
}

/** Where a topic is once its turn is committed. */
export interface Stored {
  readonly head: Head
  /** As in the topic's row. */
  readonly accounted: number
  /** The smallest seq at which it has forked: only where Redis does not know the epoch. */
  readonly firstFork: number | undefined
}

/** Where the logs have forked whose epochs Redis does not know; mostly it knows them all. */
export async function readUnknownForks(
  tx: Tx,
  passes: readonly Pass[],
): Promise<ReadonlyMap<number, number>> {
  const unknown = passes.filter(
    ({ turn, read, newEpoch }) =>
      read !== undefined &&
      newEpoch === undefined &&
      turn.epoch > 1 &&
      read.memories.own?.epoch !== turn.epoch,
  )
  if (unknown.length === 0) return new Map()
  return await readFirstForks(
    tx,
    unknown.map(({ turn }) => turn.topicId),
  )
}

/** What Redis is told of the turns that have changed something. */
export const committedOf = (stored: ReadonlyMap<Pass, Stored>): Committed[] =>
  [...stored].flatMap(([{ turn, read, newEpoch }, { head, accounted, firstFork }]) => {
    if (read === undefined && newEpoch === undefined) return []
    const known = { own: read?.memories.own, group: read?.account.group ?? turn.group }
    const after = { ...head, accounted }
    return [{ read, head, remembered: rememberedAfter(turn, known, after, { newEpoch, firstFork }) }]
  })

/** Call it after COMMIT, so that it is said once. */
export function sayRestored({ turn: { topic, head }, newEpoch }: Pass, log: Logger): void {
  if (newEpoch === undefined) return
  log.error(
    { topic, head, ...newEpoch },
    'postgresql was put back to an earlier state: another epoch of the log has begun, and readers beyond it are told',
  )
}
