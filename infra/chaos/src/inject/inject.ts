/** One fault after the other as the schedule has them, each until service is back. */
import type { AbuseFigures } from '../check/abuse-verdict.ts'
import { type Books, difference, emptyTally, type Tally } from '../clients/books.ts'
import type { Door } from '../clients/door.ts'
import { pause } from '../clock.ts'
import { type Fault, type FaultContext, PromiseBroken } from '../fault.ts'
import { createRandom } from '../random.ts'
import { awaitRecovery } from './recovery.ts'
import { schedule } from './schedule.ts'

/** What came of one fault, all its injections together. */
export interface FaultFigures {
  readonly name: string
  times: number
  readonly operations: Tally
  /** Milliseconds from each fault's end until service was back. */
  readonly recoveries: number[]
}

/** What has come of the faults so far. */
export interface Progress {
  readonly abuses: AbuseFigures[]
  readonly figures: Map<string, FaultFigures>
  /** Faults after which service did not come back in time, in words. */
  readonly unrecovered: string[]
  /** What was acknowledged before this, by the wall clock, is known to be accounted for. */
  safeBefore: number
  /** The faults under way. */
  names: readonly string[]
}

export interface InjectOptions {
  readonly seed: number
  readonly faults: readonly Fault[]
  /** Ends once each fault was injected so often. */
  readonly times?: number | undefined
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly endsAt: number
}

interface Watch {
  readonly books: Books
  readonly door: Door
  readonly signal: AbortSignal
}

export async function injectAll(
  options: InjectOptions,
  context: FaultContext,
  { books, door, signal }: Watch,
  progress: Progress,
): Promise<void> {
  const { startedAt, endsAt, times = Number.POSITIVE_INFINITY } = options
  const { figures, unrecovered } = progress
  const { target, topics, report } = context
  if (options.faults.length === 0) return await pause(endsAt - performance.now(), signal)
  const isWanted = ({ name }: Fault) => (figures.get(name)?.times ?? 0) < times
  const random = createRandom(options.seed, 'schedule')
  for (const { faults, calmMs } of schedule(options.faults, random, isWanted)) {
    await pause(calmMs, signal)
    if (signal.aborted || performance.now() > endsAt) return
    progress.names = faults.map(({ name }) => name)
    const names = progress.names.join(' + ')
    const operations = { ...books.total }
    const second = ((performance.now() - startedAt) / 1_000).toFixed()
    const injected = await Promise.all(faults.map((fault) => inject(fault, context, signal)))
    unrecovered.push(...injected.flatMap(({ broken }) => broken ?? []))
    const recovery = await awaitRecovery(door, topics, books, target.recoveryMsMax)
    progress.safeBefore = recovery?.safeBefore ?? progress.safeBefore
    const words =
      recovery === undefined ? 'NOT RECOVERED' : `back after ${(recovery.ms / 1_000).toFixed(1)} s`
    report(`second ${second}: ${names}: ${words}`)
    if (recovery === undefined)
      unrecovered.push(`service did not come back in time after ${names}, second ${second}`)
    const spent = difference(books.total, operations)
    for (const { fault, missed } of injected) if (!missed) note(figures, fault.name, spent, recovery?.ms)
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
    context.report(`${fault.name} could not be injected: ${message}`)
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
    operations: emptyTally(),
    recoveries: [],
  }
  figures.set(name, entry)
  entry.times++
  entry.operations.ok += spent.ok
  entry.operations.failed += spent.failed
  entry.operations.indeterminate += spent.indeterminate
  if (recovery !== undefined) entry.recoveries.push(recovery)
}
