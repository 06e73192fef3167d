/**
 * The consumer's loop: wait for news of a topic, take a turn of it, again.
 *
 * News is taken out before the turn reads, so what arrives during the turn is news again. When another consumer
 * holds a topic's turn, the news is dropped: it has heard the doorbell too and takes another turn after this one.
 * If it dies instead, the next sweep (about a second later) finds the topic.
 *
 * It is dropped also when another consumer says that it has committed: a turn for nothing costs as much as one event.
 *
 * A topic whose turn fails waits by itself, and the others go on: what is wrong may be that topic's alone.
 */
import { passOn } from '@sekali/broker/doorbell'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { comparePositions } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import { createBatchSize } from '@sekali/process/batch-size'
import type { News } from '@sekali/process/news'
import { createTroubles } from '@sekali/process/troubles'
import { DataRefused } from '@sekali/store/errors'
import { ensureTopics } from '@sekali/store/topics'
import type { Summaries } from './summaries.ts'
import type { Memory } from './sweep.ts'
import { runTurn, type TurnContext, TurnFailed } from './turn.ts'

/** Topics offered to one turn at most: more than there are likely to be consumers. */
const offeredMax = 16
/** Turns of a topic in a row, as long as there is more of it, before others have theirs. */
const inARowMax = 8
/**
 * How long a topic rests after a turn that took all there was, in turns and at most. A turn costs about the same
 * whether it has one event or a hundred, so where there is much to do, a topic had better wait until it is worth one.
 */
const restTurns = 2
const restMsMax = 10

export interface Progress {
  turns: number
  lastTurnAt: string | null
}

/** Runs until `signal` is aborted, then finishes the turn it is in. Never rejects: failures are retried for ever. */
export async function runLoop(
  context: TurnContext & { readonly turnEventsMax: number },
  news: News<TopicName>,
  memory: Memory,
  summaries: Summaries,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { broker, store, log } = context
  const batch = createBatchSize<TopicName>(context.turnEventsMax)
  const known = new Set<TopicName>()
  const suspects = new Set<TopicName>()
  const troubles = createTroubles<TopicName>('topic', log)
  let inARow = 0

  while (!signal.aborted) {
    await news.wait(signal)
    const topics = news.take(offeredMax)
    if (topics.length === 0 || signal.aborted) {
      news.putBack(topics)
      continue
    }
    try {
      const fresh = topics.filter((topic) => !known.has(topic))
      if (fresh.length > 0) await ensureTopics(store, fresh)
      for (const topic of fresh) known.add(topic)

      const startedAt = performance.now()
      const report = await runTurn(context, {
        topics,
        countMax: batch.size,
        isSuspect: (topic) => suspects.has(topic),
        isUntidy: (topic) => memory.untidy.has(topic),
      })
      troubles.forget(report?.topic)
      // Those before the one that was free are in others' hands; those after it have not been tried.
      news.putBack(report === undefined ? [] : topics.slice(topics.indexOf(report.topic) + 1))
      if (report === undefined) continue
      progress.turns += 1
      progress.lastTurnAt = new Date().toISOString()
      suspects.delete(report.topic)
      memory.untidy.delete(report.topic)
      batch.learn(report.topic, report.entries, report.bytes)
      summaries.add(report.topic, report.entries, report.head)
      if (report.caughtUpTo !== undefined) {
        memory.caughtUp.set(report.topic, report.caughtUpTo)
        news.rest(report.topic, Math.min(restTurns * (performance.now() - startedAt), restMsMax))
        inARow = 0
      } else if (report.entries > 0 && ++inARow < inARowMax) {
        news.putBack([report.topic])
      } else if (report.entries > 0) {
        news.add(report.topic)
        inARow = 0
      }
    } catch (error) {
      const failed = error instanceof TurnFailed ? error.topic : undefined
      if (failed !== undefined && isRefusal(error) && !suspects.has(failed)) {
        // Deterministic: the same turn would be refused again. Look for the culprit.
        suspects.add(failed)
        news.putBack(topics)
        log.warn({ topic: failed, sqlState: error.cause.sqlState }, 'data refused, looking for it')
        continue
      }
      news.putBack(topics.filter((topic) => topic !== failed))
      const { ownMs, loopMs } = troubles.note(failed, error)
      if (failed !== undefined) {
        news.defer(failed, ownMs)
        batch.halve(failed)
      }
      if (loopMs > 0) await pause(loopMs, signal)
    }
  }
  // Whoever is left need not wait for its sweep to hear of what we leave.
  if (news.size > 0) await passOn(broker, news.take(Number.MAX_SAFE_INTEGER)).catch(() => undefined)
}

const isRefusal = (error: unknown): error is TurnFailed & { readonly cause: DataRefused } =>
  error instanceof TurnFailed && error.cause instanceof DataRefused

/** What another consumer has accounted for, nobody else need look at; it has heard of what came since. */
export function hearOfCommit({ topic, position }: Head, news: News<TopicName>, memory: Memory): void {
  const ours = memory.committed.get(topic)
  if (ours !== undefined && comparePositions(position, ours) <= 0) return
  memory.caughtUp.set(topic, position)
  news.drop(topic)
}
