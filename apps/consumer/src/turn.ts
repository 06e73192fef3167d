/**
 * A turn: one consumer's exclusive pass over one topic.
 *
 *     BEGIN
 *       lock the topic's row                    whoever has it may read and commit, nobody else can
 *       read the entries after the position     contiguous, or reclaimed first
 *       store the events, move the position     rows, counters and position change together or not at all
 *     COMMIT
 *     PUBLISH, XACK, XTRIM                      tells who waits, and tidies; the position has acknowledged already
 *
 * Killed before COMMIT, it leaves nothing behind: the next turn starts from the same position. Killed after COMMIT
 * and before XACK, it leaves entries pending that the position covers: a later turn acknowledges them and counts
 * nothing twice, because it reads after the position. An XACK before the COMMIT would lose events whenever the
 * COMMIT fails, so it must stay where it is.
 */
import { askWithin, type Broker } from '@sekali/broker/connect'
import { placeAfter } from '@sekali/broker/place'
import { settle } from '@sekali/broker/settle'
import { readTurn, type TurnRead } from '@sekali/broker/turn'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import { commitAndBury, type ReceivedEntry } from '@sekali/store/bisect'
import { bury } from '@sekali/store/bury'
import { commitEvents } from '@sekali/store/commit'
import type { Store, Tx } from '@sekali/store/connect'
import { endTurn, type Turn, withTurn } from '@sekali/store/turn'

/** Where a test may stop a consumer dead; see process/failpoint.ts. */
export type TurnPoint = 'locked' | 'reclaiming' | 'read' | 'inserted' | 'accounted' | 'committed'

export interface TurnContext {
  readonly broker: Broker
  readonly store: Store
  readonly consumer: string
  readonly log: Logger
  /** All of a turn's calls to Redis before COMMIT must be done in this time, in milliseconds. */
  readonly readMs: number
  /** Hears of a commit before others do. */
  readonly onCommit: (head: Head) => void
  /** Hears how far a turn has come. */
  readonly at: (point: TurnPoint) => void
}

export interface TurnRequest {
  /** The topics that have news; the first that is free gets the turn. */
  readonly topics: readonly TopicName[]
  readonly countMax: (topic: TopicName) => number
  /** Topics of which PostgreSQL has refused something: look for the culprits one by one. */
  readonly isSuspect: (topic: TopicName) => boolean
  /** Topics with entries left pending behind the position: acknowledge them. */
  readonly isUntidy: (topic: TopicName) => boolean
}

export interface TurnReport {
  readonly topic: TopicName
  /** The last seq that was given out. */
  readonly head: number
  readonly entries: number
  readonly bytes: number
  /** The id up to which the stream has been read to its end; `undefined` when there is more, or no stream. */
  readonly caughtUpTo: Position | undefined
}

/** A turn that began and failed, so that the caller can tell whose fault it is. */
export class TurnFailed extends Error {
  readonly topic: TopicName

  constructor(topic: TopicName, cause: unknown) {
    super(`turn of ${topic} failed`, { cause })
    this.name = 'TurnFailed'
    this.topic = topic
  }
}

/**
 * Takes a turn of one of the topics. `undefined` when others have the turns of all of them.
 * Throws {@link TurnFailed}, or `StoreUnavailable` when no turn could be taken.
 */
export async function runTurn(context: TurnContext, request: TurnRequest): Promise<TurnReport | undefined> {
  let turn: Turn | undefined
  let read: TurnRead | undefined
  let head: Head | undefined
  try {
    await withTurn(context.store, request.topics, async (tx, taken) => {
      turn = taken
      context.at('locked')
      read = await readEntries(context, turn, request)
      context.at('read')
      head = await account(context, tx, turn, read, request.isSuspect(turn.topic))
      context.at('accounted')
    })
  } catch (error) {
    throw turn === undefined ? error : new TurnFailed((turn as Turn).topic, error)
  }
  if (turn === undefined) return undefined
  context.at('committed')
  if (head !== undefined) context.onCommit(head)
  if (read !== undefined && head !== undefined) await tidy(context, read, head)
  return report(turn, read, head)
}

async function readEntries(
  context: TurnContext,
  turn: Turn,
  request: TurnRequest,
): Promise<TurnRead | undefined> {
  const { broker, consumer, log, readMs } = context
  const { topic } = turn
  const read = await askWithin(broker, readMs, () =>
    readTurn(broker, turn, consumer, request.countMax(topic), {
      tidy: request.isUntidy(topic),
      reclaiming: () => context.at('reclaiming'),
    }),
  )
  if (read?.reclaimed) log.info({ topic, position: turn.position }, `reclaimed: ${read.reclaimed}`)
  return read
}

/** Accounts for what was read, in the turn's transaction. Returns the new head, `undefined` if nothing changed. */
async function account(
  { log, at }: TurnContext,
  tx: Tx,
  turn: Turn,
  read: TurnRead | undefined,
  isSuspect: boolean,
): Promise<Head | undefined> {
  const { topic } = turn
  const { loss, ...after } = placeAfter(turn, read)
  const { lost, accounted, position, history } = after
  const group = read?.place.group ?? turn.group
  if (loss) log.error({ topic, lost }, `redis has lost ${loss}, with at least ${lost} entries not stored yet`)
  else if (lost > 0) log.error({ topic, lost }, 'entries vanished from redis before they were stored')
  const entries = read?.entries ?? []
  const isSame = accounted === turn.accounted && group === turn.group && history === turn.history && !loss
  if (group === null || isSame) return undefined

  const received = entries.filter((entry): entry is ReceivedEntry => entry.event !== undefined)
  const malformed = entries.filter(({ event }) => event === undefined)
  await bury(
    tx,
    turn,
    malformed.map((entry) => ({ ...entry, reason: 'malformed_entry' })),
  )
  const outcome = isSuspect
    ? await commitAndBury(tx, turn, received)
    : { ...(await commitEvents(tx, turn, received)), dead: 0 }
  at('inserted')
  const dead = outcome.dead + malformed.length
  if (dead > 0) log.error({ topic, dead }, 'entries became dead letters')
  endTurn(tx, turn, { ...outcome, ...after, dead, group, foundLoss: loss !== undefined })
  return { topicId: turn.topicId, topic, head: turn.head + outcome.stored, position }
}

async function tidy({ broker, log }: TurnContext, read: TurnRead, head: Head): Promise<void> {
  try {
    await settle(broker, read, head)
  } catch (error) {
    // The position has acknowledged; a later turn finds these entries pending behind it and tidies up.
    log.warn({ topic: read.place.topic, err: error }, 'ack failed')
  }
}

function report(turn: Turn, read: TurnRead | undefined, after: Head | undefined): TurnReport {
  return {
    topic: turn.topic,
    head: after?.head ?? turn.head,
    entries: read?.entries.length ?? 0,
    bytes:
      read?.entries.reduce(
        (sum, { fields }) => sum + fields.reduce((all, text) => all + text.length, 0),
        0,
      ) ?? 0,
    caughtUpTo: read?.atEnd ? read.lastId : undefined,
  }
}
