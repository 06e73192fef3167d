/**
 * The consumer's loop: wait until a topic is in the queue, take a turn of it, again.
 *
 * A topic leaves the queue before its turn reads, so an event that arrives during the turn puts it back. When another
 * consumer holds the topic's turn, the topic is left to it, and looked at a moment later: sharing/ decides who is to take
 * whose turns, because a turn for nothing costs as much as a turn for one event.
 *
 * A topic whose turn fails waits by itself, and the others go on: the cause may be that topic's alone.
 */
import type { TopicName } from '@sekali/core/event'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Troubles } from '@sekali/process/troubles'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { Store } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { DataRefused } from '@sekali/store/errors'
import {
  createSchedule,
  nextRound,
  onTurns,
  postpone,
  type Round,
  type Schedule,
  separate,
  suspect,
} from './schedule.ts'
import type { Sharing } from './sharing/sharing.ts'
import { runTurns, type TurnContext, TurnFailed, type TurnReport } from './turn.ts'
import type { Memory, Progress } from './upkeep/memory.ts'
import type { Summaries } from './upkeep/summaries.ts'

export interface LoopContext extends TurnContext {
  readonly turnEventsMax: number
  readonly troubles: Troubles<TopicName>
  readonly sharing: Sharing
}

/** Runs until `signal` is aborted, then finishes the turn it is in. Never rejects: failures are retried for ever. */
export async function runLoop(
  context: LoopContext,
  queue: WorkQueue<TopicName>,
  memory: Memory,
  summaries: Summaries,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { store, log, troubles, metrics, sharing } = context
  const schedule = createSchedule(context.turnEventsMax, queue, memory)
  const onReport = ({ topic, entries, head }: TurnReport) => {
    troubles.forget(topic)
    summaries.add(topic, entries, head)
    progress.turns += 1
    progress.lastTurnAt = new Date().toISOString()
  }

  while (!signal.aborted) {
    await queue.wait(signal)
    const round = signal.aborted ? undefined : nextRound(schedule)
    if (round === undefined) continue
    if (!round.isShared) sharing.onCrowded(round.topics.slice(1))
    try {
      await ensureKnown(store, memory.known, round.topics)
      const startedAt = performance.now()
      const reports = await runTurns(context, round)
      // Redis and PostgreSQL answer: what ailed all topics is over.
      if (reports.length === 0) troubles.forget(undefined)
      const ms = performance.now() - startedAt
      for (const topic of onTurns(schedule, round, reports, ms)) sharing.onHeld(topic)
      if (reports.length > 0) metrics.onTurn({ seconds: ms / 1_000, events: eventsOf(reports) })
      for (const report of reports) onReport(report)
    } catch (error) {
      // PostgreSQL may come back from a backup, without the topics' rows.
      memory.known.clear()
      metrics.onFailure(error)
      const waitMs = onFailure(error, round, schedule, troubles, log)
      if (waitMs > 0) await pause(waitMs, signal)
    }
  }
  // Others can take what is left, and what comes, at once: they need not wait to see that this consumer is gone.
  await sharing.leave(queue.drain()).catch(() => undefined)
}

const eventsOf = (reports: readonly TurnReport[]): number =>
  reports.reduce((sum, { entries }) => sum + entries, 0)

async function ensureKnown(store: Store, known: Set<TopicName>, topics: readonly TopicName[]): Promise<void> {
  const unknown = topics.filter((topic) => !known.has(topic))
  if (unknown.length > 0) await ensureTopics(store, unknown)
  for (const topic of unknown) known.add(topic)
}

/** Decides when the topics of a round that failed are next. Returns how long to leave all topics alone. */
function onFailure(
  error: unknown,
  round: Round,
  schedule: Schedule,
  troubles: Troubles<TopicName>,
  log: Logger,
): number {
  const topics = error instanceof TurnFailed ? error.topics : []
  const [failed] = topics
  if (topics.length > 1) {
    log.warn({ topics: topics.length, err: error }, 'shared turn failed, taking them one by one')
    separate(schedule, round, topics)
    return 0
  }
  if (failed !== undefined && isRefusal(error) && !round.isSuspect(failed)) {
    // Deterministic: the same turn would be refused again.
    log.warn({ topic: failed, sqlState: error.cause.sqlState }, 'data refused, looking for it')
    suspect(schedule, round, failed)
    return 0
  }
  const { ownMs, loopMs } = troubles.note(failed, error)
  postpone(schedule, round, failed, ownMs)
  return loopMs
}

const isRefusal = (error: unknown): error is TurnFailed & { readonly cause: DataRefused } =>
  error instanceof TurnFailed && error.cause instanceof DataRefused
