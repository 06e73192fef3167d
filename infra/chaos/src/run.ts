/**
 * A run: load and readers on, faults one after the other, load off, drain, read everything back, judge.
 */
import { type AbuseFigures, describeAbuse } from './check/abuse-verdict.ts'
import { judge, type Verdict } from './check/check.ts'
import type { Evidence, Loss } from './check/evidence.ts'
import { countPending, isComplete, readSqlLog, readSqlRows, readStats } from './check/figures.ts'
import { countMissing, type Missing } from './check/missing.ts'
import { findLeaks, takeSample } from './check/watch.ts'
import { type Books, openBooks, type Tally } from './clients/books.ts'
import { openDoor } from './clients/door.ts'
import { type LogRow, readLog } from './clients/log.ts'
import { lookUp } from './clients/lookup.ts'
import { readProjections } from './clients/projections.ts'
import { startReader } from './clients/reader.ts'
import { startTails } from './clients/tails.ts'
import { startWorkload } from './clients/workload.ts'
import { patiently, pause, until } from './clock.ts'
import type { Fault, FaultContext } from './fault.ts'
import { type FaultFigures, injectAll, type Progress } from './inject/inject.ts'
import { awaitRecovery } from './inject/recovery.ts'
import { createRandom } from './random.ts'
import { startSubscribers } from './subscribers/subscribers.ts'
import type { Target } from './targets/target.ts'

export interface RunOptions {
  readonly seed: number
  readonly minutes: number
  /** Ends sooner, once each fault was injected so often. */
  readonly times?: number | undefined
  /** The load goes on until so many events are acknowledged; a quarter of them before the first fault. */
  readonly acknowledgedMin?: number | undefined
  readonly faults: readonly Fault[]
  readonly rate: number
  readonly topics: readonly string[]
  /** Matches these topics and no others. */
  readonly pattern: string
  readonly sources: number
  /**
   * No workers settle what there is: a promotion of a standby that lagged takes back what they settled in its last moments, and
   * promises nothing of that (docs/scaling.md).
   */
  readonly hasNoWorkers?: boolean
}

export interface Outcome {
  readonly verdicts: readonly Verdict[]
  readonly faults: readonly FaultFigures[]
  readonly abuses: readonly AbuseFigures[]
  readonly operations: Tally
  readonly kills: number
  readonly seconds: number
  readonly drainMs: number | undefined
  readonly events: number
  readonly balance: Missing
  /** How long no event was acknowledged, at the longest. */
  readonly silentMs: number
}

const warmUpMs = 2_000
const patienceMs = 30_000
const readBackMs = 60_000

export async function runChaos(
  options: RunOptions,
  target: Target,
  signal: AbortSignal,
  report: (what: string) => void,
): Promise<Outcome> {
  const { topics, seed, sources } = options
  const startedAt = performance.now()
  const books = openBooks(topics)
  await using loadDoor = openDoor(target.url, sources * 2, target.keyNow)
  await using door = openDoor(target.quietUrl, topics.length + 4, target.keyNow)
  const workload = startWorkload({ ...options, patienceMs }, loadDoor, books)
  const reader = startReader(door, topics)
  await using tails = startTails({ ...options, ...target })
  await using subscribers = await startSubscribers(options, target, door)
  const losses: Loss[] = []
  const progress: Progress = { abuses: [], figures: new Map(), unrecovered: [], safeBefore: 0, names: [] }

  await pause(warmUpMs, signal)
  const sample = () => takeSample(target, door, topics)
  const before = await patiently(sample)
  const isProjected = await patiently(() => hasProjector(target))
  const context: FaultContext = {
    target: target as FaultContext['target'],
    random: createRandom(seed, 'faults'),
    workload,
    ...subscribers.ofFaults,
    topics,
    pause: (ms) => pause(ms, signal),
    acknowledged: () => books.pace.acknowledged,
    ...notesOf(progress, losses, report),
    report,
  }
  const endsAt = startedAt + options.minutes * 60_000
  const acknowledged = (share: number) =>
    until(
      () => books.pace.acknowledged >= share * (options.acknowledgedMin ?? 0),
      endsAt - performance.now(),
      signal,
    )
  if (options.acknowledgedMin !== undefined) {
    await acknowledged(1 / 4)
    const calm = await awaitRecovery(door, topics, books, target.recoveryMsMax)
    progress.safeBefore = calm?.safeBefore ?? 0
  }
  await injectAll({ ...options, startedAt, endsAt }, context, { books, door, signal }, progress)
  await acknowledged(1)

  report('the faults are over; the load ends, and all must drain')
  const lastFaultAt = performance.now()
  await workload.stop()
  const drain = await awaitDrain(target, door, books, lastFaultAt)
  // Memory and connections once more, when nothing is under way.
  const leaks = await findLeaks(before, sample, AbortSignal.timeout(readBackMs))
  const { ended, ...subscribed } = await subscribers.finish(books)
  report('reading everything back')
  await patiently(reader.finish)
  const evidence: Evidence = {
    ...(await readBack(target, door, books, { topics, seed, tails, isProjected })),
    books,
    seen: reader.seen,
    told: reader.told(),
    losses,
    admissions: await target.logged(admitting, losses[0]?.from ?? Date.now()),
    drain,
    ...subscribed,
    unrecovered: progress.unrecovered,
    ended: [...target.ended(), ...ended, ...((await target.logged(/"level":60/, 0)) ?? [])],
    leaks,
    abuses: progress.abuses,
  }
  return outcomeOf(evidence, progress, target, startedAt)
}

const outcomeOf = (evidence: Evidence, progress: Progress, target: Target, startedAt: number): Outcome => ({
  verdicts: judge(evidence),
  faults: [...progress.figures.values()],
  abuses: evidence.abuses,
  operations: evidence.books.total,
  kills: target.kills(),
  seconds: (performance.now() - startedAt) / 1_000,
  drainMs: evidence.drain.ms,
  events: [...evidence.http.values()].reduce((sum, log) => sum + log.length, 0),
  balance: countMissing(evidence),
  silentMs: evidence.books.pace.silentMs,
})

interface ReadBack {
  readonly topics: readonly string[]
  readonly seed: number
  readonly tails: Pick<Awaited<ReturnType<typeof startTails>>, 'finish'>
  readonly isProjected: boolean
}

/** What the system shows of all that was sent, by every way there is to read it. */
async function readBack(
  target: Target,
  door: ReturnType<typeof openDoor>,
  books: ReturnType<typeof openBooks>,
  { topics, seed, tails, isProjected }: ReadBack,
) {
  const http = await logs(topics, (topic) => readLog(door, topic))
  const [sql, seenByTails, lookups, projections] = await Promise.all([
    patiently(() => readSql(target, topics)),
    tails.finish(http),
    lookUp(door, books, createRandom(seed, 'look-ups')),
    isProjected ? readProjections(door) : undefined,
  ])
  const stats = await patiently(() => readStats(door, topics))
  return { http, sql, tails: seenByTails, lookups, projections, stats }
}

/** What faults note: what they destroyed, and how an abuse was borne. */
const notesOf = (
  progress: Progress,
  losses: Loss[],
  report: (what: string) => void,
): Pick<FaultContext, 'destroys' | 'noteAbuse'> => ({
  destroys: async (fault, work, topic) => {
    const from = Date.now()
    const { safeBefore, names } = progress
    const beside = names.filter((name) => name !== fault)
    try {
      await work()
    } finally {
      losses.push({ fault, topic, from, until: Date.now(), safeBefore, beside })
    }
  },
  noteAbuse: (figures) => {
    progress.abuses.push(figures)
    report(describeAbuse(figures))
  },
})

/** Words with which the product admits that something was lost. */
const admitting = /vanished from redis|redis has lost|put back to an earlier state/

async function awaitDrain(
  target: Target,
  door: ReturnType<typeof openDoor>,
  books: Books,
  since: number,
): Promise<Evidence['drain']> {
  const topics = [...books.topics.keys()]
  let left = 'nothing could be asked'
  const isDrained = async () => {
    const rows = await readStats(door, topics)
    if (!isComplete(rows, books)) {
      left = `/stats knows ${rows.size} of the topics`
      return false
    }
    const flying = rows.values().reduce((sum, { in_flight }) => sum + (in_flight ?? Number.NaN), 0)
    const pending = target.redis ? await countPending(target.redis, topics) : 0
    left = `${flying} in flight, ${pending} pending`
    return flying === 0 && pending === 0
  }
  // Waits longer than it may take, so that what comes late is told from what never comes.
  const drained = await until(isDrained, 2 * target.recoveryMsMax)
  return { ms: drained ? performance.now() - since : undefined, msMax: target.recoveryMsMax, left }
}

async function hasProjector({ processes }: Target): Promise<boolean> {
  return (await processes?.parts())?.some(({ kind }) => kind === 'projector') ?? false
}

async function logs(topics: readonly string[], read: (topic: string) => Promise<LogRow[]>) {
  const map = new Map<string, LogRow[]>()
  for (const topic of topics) map.set(topic, await patiently(() => read(topic)))
  return map
}

async function readSql({ sql }: Target, topics: readonly string[]): Promise<Evidence['sql']> {
  if (sql === undefined) return undefined
  return {
    log: await logs(topics, (topic) => readSqlLog(sql, topic)),
    rows: await readSqlRows(sql, topics),
  }
}
