/**
 * A turn: one consumer's exclusive pass over one topic, or over several that have little each.
 *
 *     BEGIN
 *       lock the topics' rows                   whoever has one may read and commit, nobody else can
 *       look at the fence                       PostgreSQL must not be an old primary that was left behind
 *       read the entries after the position     contiguous, or reclaimed first
 *       store the events, move the position     rows, counters and position change together or not at all
 *     COMMIT
 *     PUBLISH, XACK, note what is kept          tells who waits, and tidies; the position has acknowledged already
 *
 * Killed before COMMIT, it leaves nothing behind: the next turn starts from the same position. Killed after COMMIT
 * and before XACK, it leaves entries pending that the position covers: a later turn acknowledges them and counts
 * nothing twice, because it reads after the position. An XACK before the COMMIT would lose events whenever the
 * COMMIT fails, so it must stay where it is.
 *
 * Turns that share a transaction share its round trips and its flush to disk, which are most of what a small turn costs.
 * They also share its fate: when one fails, all fail. The loop then takes them one by one to find the culprit.
 */

import { ack } from '@sekali/broker/ack'
import { askWithin, type Broker } from '@sekali/broker/connect'
import { nothingKept } from '@sekali/broker/keep-limits'
import { findNewEpoch, isUnremembered } from '@sekali/broker/new-epoch'
import { readTurn } from '@sekali/broker/read-turn'
import { SekaliError } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import { beginEpoch } from '@sekali/store/begin-epoch'
import { commitBisecting } from '@sekali/store/bisect'
import { commitBatches } from '@sekali/store/commit'
import type { Store, Tx } from '@sekali/store/connect'
import { OldPrimary } from '@sekali/store/errors'
import { queueTurnEnd, type Turn, withTurns } from '@sekali/store/turn'
import {
  type Change,
  changeOf,
  committedOf,
  keepMalformed,
  type Pass,
  readUnknownForks,
  type Stored,
  sayRestored,
} from './change.ts'
import type { TurnTraces } from './metrics/traces.ts'
import type { ConsumerMetrics } from './metrics/turns.ts'
import { readBehindFence } from './operate/fence.ts'
import type { Keeper } from './upkeep/keep.ts'

/** Where a test may stop a consumer dead; see process/start/failpoint.ts. */
export type TurnPoint = 'locked' | 'reclaiming' | 'read' | 'inserted' | 'accounted' | 'committed'

export interface TurnContext {
  readonly broker: Broker
  readonly store: Store
  readonly consumer: string
  readonly log: Logger
  /** All of a turn's calls to Redis before COMMIT must be done in this time, in milliseconds. */
  readonly readMs: number
  readonly metrics: ConsumerMetrics
  /** Undefined where nobody traces. */
  readonly traces?: TurnTraces | undefined
  /** Undefined where nothing stays in Redis once it is stored. */
  readonly keeper?: Keeper
  /** Called when a turn has come to a point. */
  readonly at: (point: TurnPoint) => void
}

export interface TurnRequest {
  /** The topics that may have something new: the first that are free get their turns. */
  readonly topics: readonly TopicName[]
  /** How many turns may share the transaction. */
  readonly turnsMax: number
  /** Packs to take of a topic at most. */
  readonly packsMax: (topic: TopicName) => number
  /** Topics of which PostgreSQL has refused something: the turn finds the culprits one by one. */
  readonly isSuspect: (topic: TopicName) => boolean
  /** Topics with entries left pending at or below the position: the turn acknowledges them. */
  readonly isUntidy: (topic: TopicName) => boolean
}

export interface TurnReport {
  readonly topic: TopicName
  /** The topic's last seq. */
  readonly head: number
  readonly packs: number
  readonly entries: number
  /** Characters of all the entries' fields. */
  readonly chars: number
  /** The id up to which the stream has been read to its end; `undefined` when there is more, or no stream. */
  readonly caughtUpTo: Position | undefined
}

/** Turns that began and failed, so that the caller can tell whose fault it is. */
export class TurnFailed extends SekaliError {
  readonly code = 'turn_failed'
  readonly retryable: boolean
  readonly topics: readonly TopicName[]

  constructor(topics: readonly TopicName[], cause: unknown) {
    super(`turn of ${topics.length === 1 ? topics[0] : `${topics.length} topics`} failed`, { cause })
    this.retryable = cause instanceof SekaliError && cause.retryable
    this.topics = topics
  }
}

/**
 * Takes turns of the topics, and reports each. None when others have the turns of all of them.
 * Throws {@link TurnFailed}, or `StoreUnavailable` when no turn could be taken.
 */
export async function runTurns(context: TurnContext, request: TurnRequest): Promise<TurnReport[]> {
  let turns: readonly Turn[] = []
  let passes: Pass[] = []
  let stored = new Map<Pass, Stored>()
  const startedAt = Date.now()
  try {
    await withTurns(context.store, request.topics, request.turnsMax, async (tx, taken) => {
      turns = taken
      context.at('locked')
      passes = await readEntries(context, turns, request)
      context.at('read')
      stored = await account(context, tx, passes, request)
      context.at('accounted')
    })
  } catch (error) {
    if (turns.length === 0) throw error
    if (error instanceof OldPrimary) throw error // it has no turn for any topic
    throw new TurnFailed(
      turns.map(({ topic }) => topic),
      error,
    )
  }
  if (turns.length > 0) context.at('committed')
  for (const pass of passes) sayRestored(pass, context.log)
  const nowMs = Date.now()
  const committed = [...stored.keys()].flatMap(({ read }) => read ?? [])
  for (const { packs } of committed) context.metrics.onStored(packs, nowMs)
  context.traces?.note(committed, startedAt)
  await ackCommitted(context, passes, stored)
  return passes.map((pass) => report(pass, stored.get(pass)?.head))
}

async function readEntries(
  context: TurnContext,
  turns: readonly Turn[],
  request: TurnRequest,
): Promise<Pass[]> {
  const { broker, consumer, log, readMs, metrics } = context
  const readOne = async (turn: Turn): Promise<Pass> => {
    const { topic, position } = turn
    const read = await readTurn(broker, turn, consumer, request.packsMax(topic), {
      reclaimFirst: request.isUntidy(topic),
      onTaken: () => context.at('reclaiming'),
    })
    if (read?.reclaimed) {
      metrics.onReclaim(read.reclaimed)
      log.info({ topic, position, cause: read.reclaimed }, 'entries reclaimed')
    }
    // Before anything is stored: it may get numbers that readers know for other events.
    return { turn, read, newEpoch: await findNewEpoch(broker, turn, read) }
  }
  // All reads end before any error is thrown: none may go on in a topic whose turn is over.
  const outcomes = await askWithin(broker, readMs, () =>
    readBehindFence(broker, turns, () => turns.map(readOne)),
  )
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

/** Accounts for what was read, in the turns' transaction. Returns where the turns that changed something have come to. */
async function account(
  context: TurnContext,
  tx: Tx,
  passes: readonly Pass[],
  { isSuspect }: Pick<TurnRequest, 'isSuspect'>,
): Promise<Map<Pass, Stored>> {
  const changes: Change[] = []
  for (const pass of passes) {
    const change = changeOf(pass, context.log)
    if (change !== undefined) changes.push(await keepMalformed(tx, change))
  }
  const [first] = changes
  const isAlone = changes.length === 1 && first !== undefined
  const outcomes =
    isAlone && isSuspect(first.turn.topic)
      ? [await commitBisecting(tx, first.turn, first.received)]
      : (await commitBatches(tx, changes)).map((outcome) => ({ ...outcome, dead: 0 }))
  context.at('inserted')
  const stored = new Map<Pass, Stored>()
  const firstForks = await readUnknownForks(tx, passes)
  for (const pass of passes) {
    const { turn, read, newEpoch } = pass
    if (newEpoch !== undefined) beginEpoch(tx, turn, newEpoch)
    // Somebody may have died after the COMMIT of a turn that Redis then does not remember.
    else if (read === undefined || !isUnremembered(read.memories.own, turn)) continue
    const head = { ...turn, epoch: newEpoch?.epoch ?? turn.epoch }
    stored.set(pass, { head, accounted: turn.accounted, firstFork: firstForks.get(turn.topicId) })
  }
  for (const [index, { pass, turn, group, after, loss, malformed }] of changes.entries()) {
    const outcome = outcomes[index] as (typeof outcomes)[number]
    const { topic, topicId } = turn
    const dead = outcome.dead + malformed.length
    if (dead > 0) context.log.error({ topic, dead }, 'entries became dead letters')
    const kept = turn.keptBytes + outcome.kept - pass.turn.keptBytes
    queueTurnEnd(tx, turn, { ...outcome, ...after, dead, kept, group, foundLoss: loss !== undefined })
    const epoch = pass.newEpoch?.epoch ?? turn.epoch
    const head = { topicId, topic, epoch, head: turn.head + outcome.stored, position: after.position }
    const firstFork = firstForks.get(topicId)
    stored.set(pass, { head, accounted: after.accounted, firstFork })
  }
  return stored
}

/** Acknowledges what was committed. Never rejects. */
async function ackCommitted(
  { broker, log, keeper }: TurnContext,
  passes: readonly Pass[],
  stored: ReadonlyMap<Pass, Stored>,
): Promise<void> {
  const committed = committedOf(stored)
  const accounted = passes.flatMap(({ turn: { topic }, read }) =>
    read === undefined || read.atEnd ? [{ topic, upTo: read?.lastId }] : [],
  )
  try {
    const keptBytes = await ack(broker, committed, accounted, keeper?.limits() ?? nothingKept)
    keeper?.onKept(keptBytes)
  } catch (error) {
    // The positions have acknowledged. A later turn finds these entries pending and tidies up.
    log.warn({ topics: committed.map(({ head }) => head.topic), err: error }, 'ack failed')
  }
}

const report = ({ turn, read }: Pass, committed: Head | undefined): TurnReport => ({
  topic: turn.topic,
  head: committed?.head ?? turn.head,
  packs: read?.packs.length ?? 0,
  entries: read?.entries.length ?? 0,
  chars:
    read?.entries.reduce((sum, { fields }) => sum + fields.reduce((all, text) => all + text.length, 0), 0) ??
    0,
  caughtUpTo: read?.atEnd ? read.lastId : undefined,
})
