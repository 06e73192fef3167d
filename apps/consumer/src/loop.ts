/**
 * The consumer's loop: wait for news of a topic, take a turn of it, again.
 *
 * News is taken out before the turn reads, so what arrives during the turn is news again. When another consumer
 * holds a topic's turn, the news is dropped: it has heard the doorbell too and takes another turn after this one.
 * If it dies instead, the next sweep (about a second later) finds the topic.
 *
 * It is dropped also when another consumer says that it has committed: a turn for nothing costs as much as one event.
 *
 * Topics that have much give way to those that have little now and then, and to each other after a few turns, so that one
 * event is stored soon whatever floods the others.
 *
 * A topic whose turn fails waits by itself, and the others go on: what is wrong may be that topic's alone.
 */
import { passOn } from '@sekali/broker/doorbell'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { comparePositions } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import { createBatchSize } from '@sekali/process/batch-size'
import { createTroubles } from '@sekali/process/troubles'
import type { WorkQueue } from '@sekali/process/work-queue'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { DataRefused } from '@sekali/store/errors'
import type { Memory, Progress } from './memory.ts'
import { runTurns, type TurnContext, TurnFailed, type TurnReport } from './turn.ts'
import type { Summaries } from './upkeep/summaries.ts'

/** Topics offered at a time, which is more than there are likely to be consumers, and turns that share a transaction. */
const offeredMax = 32
/** The part of what a turn of its own may take, up to which a topic has little. */
const littlePart = 1 / 8
/** The part of what a turn might have taken from which on it says that the next might take more. */
const muchPart = 1 / 4
/** Turns of a topic in a row, and how long they may take, as long as there is more of it, before others have theirs. */
const inARowMax = 8
const inARowMsMax = 100
/**
 * After so long those that have little go before those that have much: one event should not wait for thousands of each
 * topic that somebody floods.
 */
const littleWaitsMsMax = 50
/**
 * Packs of a topic that a turn takes when PostgreSQL has refused something among them. To find one culprit costs some ten
 * attempts, and where all are culprits it costs two for each.
 */
const suspectPacksMax = 4
/**
 * How long a topic rests after a turn that took all there was, in turns and at most. A turn costs about the same
 * whether it has one event or a hundred, so where there is much to do, a topic had better wait until it is worth one.
 * For others than who had the turn it is longer, so that they come only when that one is held up.
 */
const restTurns = 2
const restMsMax = 10
const othersRestMs = 2 * restMsMax

/** Runs until `signal` is aborted, then finishes the turn it is in. Never rejects: failures are retried for ever. */
export async function runLoop(
  context: TurnContext & { readonly turnEventsMax: number },
  queue: WorkQueue<TopicName>,
  memory: Memory,
  summaries: Summaries,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { broker, store, log } = context
  const batch = createBatchSize<TopicName>(context.turnEventsMax)
  const { known } = memory
  /** Topics of which PostgreSQL has refused something, and the packs among which that is. */
  const suspects = new Map<TopicName, number>()
  const troubles = createTroubles<TopicName>('topic', log)
  /** Topics of turns that shared a transaction and failed: each has its next turn alone, to see which one it was. */
  const alone = new Set<TopicName>()
  /** Topics that had more than a little in their last turn. */
  const large = new Set<TopicName>()
  const mayShare = (topic: TopicName) =>
    !large.has(topic) && !alone.has(topic) && !suspects.has(topic) && !memory.untidy.has(topic)
  /** The topic that has its turns in a row, how many they were and how long they took. */
  let row: { topic?: TopicName; turns: number; ms: number } = { turns: 0, ms: 0 }
  let littleAt = performance.now()

  while (!signal.aborted) {
    await queue.wait(signal)
    const heard = takeNews()
    const [first] = heard
    if (first === undefined || signal.aborted) {
      queue.putBack(heard)
      continue
    }
    const small = mayShare(first) ? heard.filter(mayShare) : []
    const isShared = small.length > 1
    const topics = isShared ? small : heard
    queue.putBack(heard.filter((topic) => !topics.includes(topic)))
    // Together what two alone may take, or a pack each, whatever has come since their last turns.
    const share = isShared ? Math.min(littlePart, 2 / topics.length) : 1
    const packsMax = (topic: TopicName) =>
      suspects.has(topic)
        ? Math.min(suspectPacksMax, batch.size(topic))
        : Math.ceil(batch.size(topic) * share)
    try {
      const fresh = topics.filter((topic) => !known.has(topic))
      if (fresh.length > 0) await ensureTopics(store, fresh)
      for (const topic of fresh) known.add(topic)

      const startedAt = performance.now()
      const reports = await runTurns(context, {
        topics,
        turnsMax: isShared ? offeredMax : 1,
        packsMax,
        isSuspect: (topic) => suspects.has(topic),
        isUntidy: (topic) => memory.untidy.has(topic),
      })
      if (reports.length === 0) troubles.forget(undefined)
      // Those before the one that was free are in others' hands; those after it have not been tried.
      const tried = reports.length === 0 || isShared ? topics.length : topics.indexOf(lastOf(reports)) + 1
      queue.putBack(topics.slice(tried))
      const ms = performance.now() - startedAt
      for (const report of reports) learn(report, { isShared, packsMax: packsMax(report.topic), ms })
    } catch (error) {
      // PostgreSQL may come back without them, restored from a backup.
      known.clear()
      if (error instanceof TurnFailed && error.topics.length > 1) {
        log.warn({ topics: error.topics.length, err: error }, 'shared turn failed, taking them one by one')
        for (const topic of error.topics) {
          alone.add(topic)
          batch.halve(topic)
        }
        queue.putBack(topics)
        continue
      }
      const failed = error instanceof TurnFailed ? error.topics[0] : undefined
      if (failed !== undefined && isRefusal(error) && !suspects.has(failed)) {
        // Deterministic: the same turn would be refused again. Look for the culprit.
        suspects.set(failed, batch.size(failed))
        queue.putBack(topics)
        log.warn({ topic: failed, sqlState: error.cause.sqlState }, 'data refused, looking for it')
        continue
      }
      queue.putBack(topics.filter((topic) => topic !== failed))
      const { ownMs, loopMs } = troubles.note(failed, error)
      if (failed !== undefined) {
        queue.defer(failed, ownMs)
        batch.halve(failed)
      }
      if (loopMs > 0) await pause(loopMs, signal)
    }
  }
  // Whoever is left need not wait for its sweep to hear of what we leave.
  const left = queue.drain()
  if (left.length > 0) await passOn(broker, left).catch(() => undefined)

  function takeNews(): TopicName[] {
    const now = performance.now()
    if (now - littleAt > littleWaitsMsMax) {
      littleAt = now
      const small = queue.take(offeredMax, mayShare)
      if (small.length > 0) return small
    }
    return queue.take(offeredMax)
  }

  function learn(report: TurnReport, { isShared, packsMax, ms }: TurnMade): void {
    const { topic, packs, entries, chars, head, caughtUpTo } = report
    troubles.forget(topic)
    progress.turns += 1
    progress.lastTurnAt = new Date().toISOString()
    for (const set of [memory.untidy, alone]) set.delete(topic)
    const wasSuspect = suspects.has(topic)
    const suspected = (suspects.get(topic) ?? 0) - packs
    if (suspected > 0 && caughtUpTo === undefined) suspects.set(topic, suspected)
    else suspects.delete(topic)
    batch.learn(topic, packs, entries, chars, packs >= packsMax * muchPart, isShared ? 0 : ms)
    summaries.add(topic, entries, head)
    const hadLittle = isShared ? packs < packsMax : entries < context.turnEventsMax * littlePart
    // What was refused may not be the last of its kind: no others should fail with the next.
    if (hadLittle && !wasSuspect) large.delete(topic)
    else large.add(topic)
    if (caughtUpTo !== undefined) {
      memory.caughtUp.set(topic, caughtUpTo)
      queue.rest(topic, Math.min(restTurns * ms, restMsMax))
      if (row.topic === topic) row = { turns: 0, ms: 0 }
    } else if (entries > 0 && !isShared && hasNextTurn(topic, ms)) queue.putBack([topic])
    else if (entries > 0) queue.add(topic)
  }

  /** Whether a topic that has had a turn, and has more, has the next one as well. */
  function hasNextTurn(topic: TopicName, ms: number): boolean {
    if (row.topic !== topic) row = { topic, turns: 0, ms: 0 }
    row.turns += 1
    row.ms += ms
    if (row.turns < inARowMax && row.ms < inARowMsMax) return true
    row = { turns: 0, ms: 0 }
    return false
  }
}

/** What a turn was like, for what it teaches. */
interface TurnMade {
  readonly isShared: boolean
  readonly packsMax: number
  readonly ms: number
}

const lastOf = (reports: readonly TurnReport[]): TopicName => (reports.at(-1) as TurnReport).topic

const isRefusal = (error: unknown): error is TurnFailed & { readonly cause: DataRefused } =>
  error instanceof TurnFailed && error.cause instanceof DataRefused

/** What another consumer has accounted for, nobody else need look at; it has heard of what came since. */
export function onCommit({ topic, position }: Head, queue: WorkQueue<TopicName>, memory: Memory): void {
  const ours = memory.committed.get(topic)
  if (ours !== undefined && comparePositions(position, ours) <= 0) return
  memory.caughtUp.set(topic, position)
  queue.drop(topic)
  queue.rest(topic, othersRestMs)
}
