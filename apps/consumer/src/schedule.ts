/**
 * Which topics have the next turn, and how much of each. It learns from the turns that they had.
 *
 * Topics that have little share a transaction. A topic that has much has turns of its own, a few in a row, and then lets
 * the others pass; every so often those that have little go first. So one event is stored soon, whatever floods the other
 * topics.
 *
 * When a shared turn fails, each of its topics has the next turn alone, to see whose failure it was. When PostgreSQL has
 * refused something of a topic, its turns are small until the culprit is found.
 */
import type { TopicName } from '@sekali/core/event'
import { type BatchSize, createBatchSize } from '@sekali/process/batch-size'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { TurnReport, TurnRequest } from './turn.ts'
import type { Memory } from './upkeep/memory.ts'

/**
 * Topics offered to a turn: more than there are likely to be consumers, so that one is free though others hold locks. Also
 * the turns that may share a transaction.
 */
const offeredMax = 32
/** A topic has little when its turn took less than this share of what a turn of its own may take. */
const littlePart = 1 / 8
/** A turn that took this share of its allowance lets the next one grow. */
const growPart = 1 / 4
/** Turns of a topic in a row, and the time that they may take together, before others have theirs. */
const inARowMax = 8
const inARowMsMax = 100
/**
 * A topic that has had more than its turns could take for so long is flooded. It has one turn at a time while others that
 * have much wait, for they could keep up.
 */
const floodedAfterMs = 1_000
/** After this time the topics that have little go before those that have much. */
const littleWaitsMsMax = 50
/**
 * Packs of a turn when PostgreSQL has refused something of its topic. To find one culprit costs some ten attempts, and
 * where all are culprits, two attempts for each.
 */
const suspectPacksMax = 4
/**
 * A topic rests after a turn that took all there was: `restTurns` times as long as the turn took, at most `restMsMax`. A
 * turn costs about the same with one event as with a hundred, so on a busy topic it pays to let some events gather.
 */
const restTurns = 2
const restMsMax = 10

export interface Schedule {
  readonly queue: WorkQueue<TopicName>
  readonly memory: Memory
  readonly turnEventsMax: number
  readonly batch: BatchSize<TopicName>
  /** Topics of which PostgreSQL has refused something, and the number of packs among which it is. */
  readonly suspects: Map<TopicName, number>
  /** Topics of shared turns that failed: each has its next turn alone. */
  readonly alone: Set<TopicName>
  /** Topics that had more than a little in their last turn. */
  readonly large: Set<TopicName>
  /** Topics that had more than their last turns could take: since when, and when the last turn was. */
  readonly behind: Map<TopicName, { readonly since: number; readonly lastAt: number }>
  /** The topic that has its turns in a row, how many they were, and how long they took. */
  inARow: { readonly topic?: TopicName; readonly turns: number; readonly ms: number }
  /** When the topics that have little last went first. */
  littleAt: number
}

/** What to take turns of. In a shared round all topics that are free have their turns in one transaction. */
export interface Round extends TurnRequest {
  readonly isShared: boolean
}

const noneInARow = { turns: 0, ms: 0 }

export const createSchedule = (
  turnEventsMax: number,
  queue: WorkQueue<TopicName>,
  memory: Memory,
): Schedule => ({
  queue,
  memory,
  turnEventsMax,
  batch: createBatchSize(turnEventsMax),
  suspects: new Map(),
  alone: new Set(),
  large: new Set(),
  behind: new Map(),
  inARow: noneInARow,
  littleAt: performance.now(),
})

/** Takes the next topics out of the queue; `undefined` when it has none. */
export function nextRound(schedule: Schedule): Round | undefined {
  const { queue, memory, suspects, batch } = schedule
  const taken = takeTopics(schedule)
  const [first] = taken
  if (first === undefined) return undefined
  const little = mayShare(schedule, first) ? taken.filter((topic) => mayShare(schedule, topic)) : []
  const isShared = little.length > 1
  const topics = isShared ? little : taken
  queue.putBack(taken.filter((topic) => !topics.includes(topic)))
  // Together they take what two turns alone may take, or one pack each: more may have come since their last turns.
  const share = isShared ? Math.min(littlePart, 2 / topics.length) : 1
  return {
    topics,
    isShared,
    turnsMax: isShared ? offeredMax : 1,
    packsMax: (topic) =>
      suspects.has(topic)
        ? Math.min(suspectPacksMax, batch.size(topic))
        : Math.ceil(batch.size(topic) * share),
    isSuspect: (topic) => suspects.has(topic),
    isUntidy: (topic) => memory.untidy.has(topic),
  }
}

function takeTopics(schedule: Schedule): TopicName[] {
  const { queue } = schedule
  const now = performance.now()
  if (now - schedule.littleAt > littleWaitsMsMax) {
    schedule.littleAt = now
    const little = queue.take(offeredMax, (topic) => mayShare(schedule, topic))
    if (little.length > 0) return little
  }
  return queue.take(offeredMax)
}

const mayShare = ({ large, alone, suspects, memory }: Schedule, topic: TopicName): boolean =>
  !large.has(topic) && !alone.has(topic) && !suspects.has(topic) && !memory.untidy.has(topic)

/**
 * Learns from the turns of a round, which took `ms` together, and decides when their topics are next. Returns the topics
 * whose turns others had.
 */
export function onTurns(
  schedule: Schedule,
  round: Round,
  reports: readonly TurnReport[],
  ms: number,
): TopicName[] {
  const last = reports.at(-1)
  // The topics before the one that was free are in others' hands; those after it have not been tried.
  const tried =
    last === undefined || round.isShared ? round.topics.length : round.topics.indexOf(last.topic) + 1
  schedule.queue.putBack(round.topics.slice(tried))
  for (const report of reports) {
    learn(schedule, round, report, ms)
    queueAgain(schedule, round, report, ms)
  }
  const taken = new Set(reports.map(({ topic }) => topic))
  return round.topics.slice(0, tried).filter((topic) => !taken.has(topic))
}

function learn(schedule: Schedule, { isShared, packsMax }: Round, report: TurnReport, ms: number): void {
  const { memory, batch, suspects, alone, large, turnEventsMax } = schedule
  const { topic, packs, entries, chars, caughtUpTo } = report
  const allowance = packsMax(topic)
  const wasSuspect = suspects.has(topic)
  const suspected = (suspects.get(topic) ?? 0) - packs
  if (suspected > 0 && caughtUpTo === undefined) suspects.set(topic, suspected)
  else suspects.delete(topic)
  memory.untidy.delete(topic)
  alone.delete(topic)
  const mayGrow = packs >= allowance * growPart
  batch.learn(topic, { pieces: packs, events: entries, chars, ms: isShared ? 0 : ms, mayGrow })
  const hadLittle = isShared ? packs < allowance : entries < turnEventsMax * littlePart
  // The next entries may be refused too: no other topics should share that turn.
  if (hadLittle && !wasSuspect) large.delete(topic)
  else large.add(topic)
}

function queueAgain(schedule: Schedule, round: Round, report: TurnReport, ms: number): void {
  const { queue, memory } = schedule
  const { topic, entries, caughtUpTo } = report
  if (caughtUpTo !== undefined) {
    schedule.behind.delete(topic)
    memory.caughtUp.set(topic, caughtUpTo)
    queue.rest(topic, Math.min(restTurns * ms, restMsMax))
    if (schedule.inARow.topic === topic) schedule.inARow = noneInARow
    return
  }
  if (entries === 0) return
  noteBehind(schedule, topic)
  if (!round.isShared && takeNextInARow(schedule, topic, ms)) queue.putBack([topic])
  else queue.add(topic)
}

/** Counts a turn of a topic that has more. Returns whether the topic has the next turn as well. */
function takeNextInARow(schedule: Schedule, topic: TopicName, ms: number): boolean {
  const before = schedule.inARow.topic === topic ? schedule.inARow : noneInARow
  const inARow = { topic, turns: before.turns + 1, ms: before.ms + ms }
  const isNext =
    inARow.turns < inARowMax &&
    inARow.ms < inARowMsMax &&
    !(isFlooded(schedule, topic) && keepsOthers(schedule))
  schedule.inARow = isNext ? inARow : noneInARow
  return isNext
}

/** A topic that has had no turn for long may have been caught up by another consumer meanwhile. */
function noteBehind({ behind }: Schedule, topic: TopicName): void {
  const now = performance.now()
  const before = behind.get(topic)
  const since = before !== undefined && now - before.lastAt < floodedAfterMs ? before.since : now
  behind.set(topic, { since, lastAt: now })
}

function isFlooded({ behind }: Schedule, topic: TopicName): boolean {
  const of = behind.get(topic)
  return of !== undefined && of.lastAt - of.since > floodedAfterMs
}

/** Whether topics wait that have much, and are not flooded. */
const keepsOthers = (schedule: Schedule): boolean =>
  schedule.queue.has((topic) => schedule.large.has(topic) && !isFlooded(schedule, topic))

/** After a shared turn that failed: its topics have their next turns one by one. */
export function separate(schedule: Schedule, round: Round, failed: readonly TopicName[]): void {
  for (const topic of failed) {
    schedule.alone.add(topic)
    schedule.batch.halve(topic)
  }
  schedule.queue.putBack(round.topics)
}

/** After PostgreSQL has refused something of a topic: its turns are small until the culprit is found. */
export function suspect(schedule: Schedule, round: Round, topic: TopicName): void {
  schedule.suspects.set(topic, schedule.batch.size(topic))
  schedule.queue.putBack(round.topics)
}

/** After a failure of a topic's turn, or of none: that topic waits for `ms`, the others go on. */
export function postpone(schedule: Schedule, round: Round, failed: TopicName | undefined, ms: number): void {
  schedule.queue.putBack(round.topics.filter((topic) => topic !== failed))
  if (failed === undefined) return
  schedule.queue.defer(failed, ms)
  schedule.batch.halve(failed)
}
