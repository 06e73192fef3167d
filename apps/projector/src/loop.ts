/**
 * The projector's loop: wait until a projection is in the queue, take a turn of it, again until there is nothing left.
 *
 * A projection leaves the queue before its turn reads, so an event that is stored during the turn puts it back. When
 * another projector holds the projection's turn, the projection is dropped: that projector gets the same hints and takes
 * another turn after this one. If it dies instead, the next sweep (about a second later) finds what it left. A projection
 * whose turn fails waits by itself, and the others go on.
 */
import { pause } from '@sekali/process/backoff'
import { type BatchSize, createBatchSize, growthMax } from '@sekali/process/batch-size'
import type { Troubles } from '@sekali/process/troubles'
import type { TurnMetrics } from '@sekali/process/turn-metrics'
import type { WorkQueue } from '@sekali/process/work-queue'
import { DataRefused } from '@sekali/store/errors'
import { Stuck } from './confined/fold-process.ts'
import { NotImported } from './definitions/errors.ts'
import type { LoadedDefinition } from './definitions/held-process.ts'
import { createSuspicions, StuckAt, type Suspicions } from './suspicion.ts'
import { runTurn, type TurnContext, TurnFailed, type TurnReport } from './turn.ts'

/** Projections offered to one turn at most. */
const offeredMax = 64

export interface LoopContext extends TurnContext {
  readonly troubles: Troubles<string>
  readonly turnEventsMax: number
  /** A turn that took this long was too large: the next one might be given up. */
  readonly slowTurnMs: number
  readonly metrics: TurnMetrics
  /** The definition of that name, if there still is one. */
  readonly definitionOf: (name: string) => LoadedDefinition | undefined
}

/** What the loop has learned of the projections. */
interface Learned {
  readonly batch: BatchSize<string>
  readonly suspicions: Suspicions
  readonly troubles: Troubles<string>
}

/** Runs until `signal` is aborted, then finishes the turn it is in. Never rejects: failures are retried for ever. */
export async function runLoop(
  context: LoopContext,
  queue: WorkQueue<string>,
  signal: AbortSignal,
): Promise<void> {
  const { folding, definitionOf, slowTurnMs, metrics } = context
  const learned: Learned = {
    batch: createBatchSize(context.turnEventsMax),
    suspicions: createSuspicions(),
    troubles: context.troubles,
  }
  const { batch, suspicions, troubles } = learned

  while (!signal.aborted) {
    await queue.wait(signal)
    const names = queue.take(offeredMax)
    const all = names.flatMap((name) => definitionOf(name) ?? [])
    const definitions = all.filter(({ source }) => !folding.isLeftAlone(source))
    if (definitions.length === 0 || signal.aborted) continue
    try {
      const request = { definitions, countMax: batch.size, suspicionOf: suspicions.of }
      const report = await runTurn(context, request)
      troubles.forget(report?.name)
      if (report === undefined) continue
      metrics.onTurn({ seconds: report.ms / 1_000, events: report.events })
      // The projections before it have nothing new, or are in others' hands. It may have more itself.
      queue.putBack(names.slice(names.indexOf(report.name) + 1))
      queue.add(report.name)
      learn(report, learned, slowTurnMs)
    } catch (error) {
      metrics.onFailure(error)
      const failed = error instanceof TurnFailed ? error.projection : undefined
      queue.putBack(names.filter((name) => name !== failed))
      const { ownMs, loopMs } = troubles.note(failed, error)
      if (failed !== undefined) queue.defer(failed, ownMs)
      if (error instanceof TurnFailed) learnFailure(error, learned)
      if (loopMs > 0) await pause(loopMs, signal)
    }
  }
}

function learn(report: TurnReport, { batch, suspicions }: Learned, slowTurnMs: number): void {
  const { name, events, chars, ms, cut } = report
  if (ms > slowTurnMs) batch.halve(name)
  else if (cut === undefined) {
    const mayGrow = ms < slowTurnMs / growthMax
    batch.learn(name, { pieces: events, events, chars, ms: 0, mayGrow })
  }
  suspicions.learn(report)
}

function learnFailure({ projection, cause }: TurnFailed, { batch, suspicions }: Learned): void {
  // Deterministic: the same turn would fail the same way. The next turns find the event that is to blame.
  if (cause instanceof DataRefused || cause instanceof Stuck) {
    const suspects = cause instanceof StuckAt ? cause.suspects : undefined
    suspicions.add(projection, suspects, batch.size(projection))
  }
  // Events that are slow to fold must not run into the same timeout for ever.
  if (!(cause instanceof NotImported)) batch.halve(projection)
}
