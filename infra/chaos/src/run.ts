/**
 * A run: load and readers on, faults one after the other, load off, drain, read everything back, judge.
 */
import { difference, type OpenBooks, openBooks, type Tally } from './books.ts'
import { judge, type Verdict } from './check.ts'
import { patiently, pause, until } from './clock.ts'
import { openDoor } from './door.ts'
import type { Evidence, Loss } from './evidence.ts'
import { type Fault, type FaultContext, PromiseBroken } from './fault.ts'
import { countPending, readDead, readSqlLog, readSqlRows, readStats } from './figures.ts'
import { type LogRow, readLog } from './log.ts'
import { readProjections } from './projections.ts'
import { createRandom } from './random.ts'
import { startReader } from './reader.ts'
import { lookUp } from './receipt.ts'
import { awaitRecovery } from './recovery.ts'
import { schedule } from './schedule.ts'
import { startTails } from './tails.ts'
import type { Target } from './target.ts'
import { findLeaks, takeSample } from './watch.ts'
import { startWorkload } from './workload.ts'

export interface RunOptions {
  readonly seed: number
  readonly minutes: number
  readonly faults: readonly Fault[]
  readonly rate: number
  readonly topics: readonly string[]
  /** Matches these topics and no others. */
  readonly pattern: string
  readonly sources: number
}

/** What came of one fault, all its injections together. */
export interface FaultFigures {
  readonly name: string
  times: number
  readonly operations: Tally
  /** Milliseconds from each fault's end until service was back. */
  readonly recoveries: number[]
}

export interface Outcome {
  readonly verdicts: readonly Verdict[]
  readonly faults: readonly FaultFigures[]
  readonly operations: Tally
  readonly kills: number
  readonly seconds: number
  readonly drainMs: number | undefined
  readonly events: number
}

const warmUpMs = 2_000
const patienceMs = 30_000
const readBackMs = 60_000

export async function runChaos(
  options: RunOptions,
  target: Target,
  signal: AbortSignal,
  say: (what: string) => void,
): Promise<Outcome> {
  const { topics, seed, sources } = options
  const startedAt = performance.now()
  const books = openBooks(topics)
  await using loadDoor = openDoor(target.url, sources * 2)
  await using door = openDoor(target.quietUrl, topics.length + 4)
  const workload = startWorkload({ ...options, patienceMs }, loadDoor, books)
  const reader = startReader(door, topics)
  await using tails = startTails({ ...options, ...target })
  const losses: Loss[] = []

  await pause(warmUpMs, signal)
  const sample = () => takeSample(target, door, topics)
  const before = await patiently(sample)
  const figures = new Map<string, FaultFigures>()
  const unrecovered: string[] = []
  const context: FaultContext = {
    target: target as FaultContext['target'],
    random: createRandom(seed, 'faults'),
    workload,
    topics,
    pause: (ms) => pause(ms, signal),
    destroys: (fault) => losses.push({ at: Date.now(), fault }),
    say,
  }
  await injectAll({ options, target, signal, say, startedAt }, context, books, door, figures, unrecovered)

  say('the faults are over; the load ends, and all must drain')
  const lastFaultAt = performance.now()
  await workload.stop()
  const drain = await awaitDrain(target, door, topics, lastFaultAt)
  // Memory and connections once more, when nothing is under way.
  const leaks = await findLeaks(before, sample, AbortSignal.timeout(readBackMs))
  say('reading everything back')
  await patiently(reader.finish)
  const http = await logs(topics, (topic) => readLog(door, topic))
  const evidence: Evidence = {
    books,
    http,
    stats: await patiently(() => readStats(door, topics)),
    seen: reader.seen,
    tails: await tails.finish(http),
    lookups: await lookUp(door, books, createRandom(seed, 'look-ups')),
    sql: await patiently(() => readSql(target, topics)),
    projections: (await hasProjector(target)) ? await patiently(() => readProjections(door)) : undefined,
    losses,
    admissions: await target.logged(admitting, losses[0]?.at ?? Date.now()),
    drain,
    unrecovered,
    ended: [...target.ended(), ...((await target.logged(/"level":60/, 0)) ?? [])],
    leaks,
  }
  return {
    verdicts: judge(evidence),
    faults: [...figures.values()],
    operations: books.total,
    kills: target.kills(),
    seconds: (performance.now() - startedAt) / 1_000,
    drainMs: drain.ms,
    events: [...evidence.http.values()].reduce((sum, log) => sum + log.length, 0),
  }
}

/** Words with which the product admits that Redis lost something. */
const admitting = /vanished from redis|redis has lost/

interface Stage {
  readonly options: RunOptions
  readonly target: Target
  readonly signal: AbortSignal
  readonly say: (what: string) => void
  readonly startedAt: number
}

async function injectAll(
  { options, target, signal, say, startedAt }: Stage,
  context: FaultContext,
  books: OpenBooks,
  door: ReturnType<typeof openDoor>,
  figures: Map<string, FaultFigures>,
  unrecovered: string[],
): Promise<void> {
  const endsAt = startedAt + options.minutes * 60_000
  if (options.faults.length === 0) return await pause(endsAt - performance.now(), signal)
  for (const { faults, calmMs } of schedule(options.faults, createRandom(options.seed, 'schedule'))) {
    await pause(calmMs, signal)
    if (signal.aborted || performance.now() > endsAt) return
    const names = faults.map(({ name }) => name).join(' + ')
    const operations = { ...books.total }
    const second = ((performance.now() - startedAt) / 1_000).toFixed()
    const injected = await Promise.all(faults.map((fault) => inject(fault, context, signal)))
    unrecovered.push(...injected.flatMap(({ broken }) => broken ?? []))
    const recovery = await awaitRecovery(door, options.topics, books, target.recoveryMsMax)
    const words = recovery === undefined ? 'NOT RECOVERED' : `back after ${(recovery / 1_000).toFixed(1)} s`
    say(`second ${second}: ${names}: ${words}`)
    if (recovery === undefined)
      unrecovered.push(`service did not come back in time after ${names}, second ${second}`)
    const spent = difference(books.total, operations)
    for (const { fault, missed } of injected) if (!missed) note(figures, fault.name, spent, recovery)
  }
}

async function inject(fault: Fault, context: FaultContext, signal: AbortSignal) {
  try {
    await fault.run(context, signal)
    return { fault, missed: false }
  } catch (error) {
    const { message } = error as Error
    if (error instanceof PromiseBroken) return { fault, missed: false, broken: `${fault.name}: ${message}` }
    // Another fault was faster, or is in the way: it needs a Redis or a PostgreSQL that answers.
    context.say(`${fault.name} could not be injected: ${message}`)
    return { fault, missed: true }
  }
}

function note(
  figures: Map<string, FaultFigures>,
  name: string,
  spent: Tally,
  recovery: number | undefined,
): void {
  const entry = figures.get(name) ?? {
    name,
    times: 0,
    operations: { ok: 0, failed: 0, indeterminate: 0 },
    recoveries: [],
  }
  figures.set(name, entry)
  entry.times++
  entry.operations.ok += spent.ok
  entry.operations.failed += spent.failed
  entry.operations.indeterminate += spent.indeterminate
  if (recovery !== undefined) entry.recoveries.push(recovery)
}

async function awaitDrain(
  target: Target,
  door: ReturnType<typeof openDoor>,
  topics: readonly string[],
  since: number,
): Promise<Evidence['drain']> {
  let left = 'nothing could be asked'
  const isDrained = async () => {
    const rows = [...(await readStats(door, topics)).values()]
    const flying = rows.reduce((sum, { in_flight }) => sum + (in_flight ?? Number.NaN), 0)
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
    dead: await readDead(sql, topics),
  }
}
