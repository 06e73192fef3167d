/**
 * The projector's loop: wait for news of a projection, take a turn of it, again until there is nothing left.
 *
 * News is taken out before the turn reads, so what is stored during the turn is news again. When another projector
 * holds a projection's turn, the news is dropped: it has heard the same hints and takes another turn after this one.
 * If it dies instead, the next look (about a second later) finds what it left. A projection whose turn fails waits by
 * itself, and the others go on.
 */
import { pause } from '@sekali/process/backoff'
import { createBatchSize, growthMax } from '@sekali/process/batch-size'
import { createTroubles } from '@sekali/process/troubles'
import type { WorkQueue } from '@sekali/process/work-queue'
import { DataRefused } from '@sekali/store/errors'
import { Stuck } from './confined/fold-process.ts'
import { type LoadedDefinition, NotImported } from './definitions/folding.ts'
import {
  type Place,
  runTurn,
  StuckAt,
  type Suspicion,
  type TurnContext,
  TurnFailed,
  type TurnReport,
} from './turn.ts'

/** Projections offered to one turn at most. */
const offeredMax = 64

export interface LoopContext extends TurnContext {
  readonly turnEventsMax: number
  /** A turn that took so long was too large: the next one might be given up. */
  readonly slowTurnMs: number
  /** The definition of that name, if there still is one. */
  readonly definitionOf: (name: string) => LoadedDefinition | undefined
}

/** Runs until `signal` is aborted, then finishes the turn it is in. Never rejects: failures are retried for ever. */
export async function runLoop(context: LoopContext, queue: WorkQueue<string>, signal: AbortSignal): Promise<void> {
  const { log, folding, definitionOf, slowTurnMs } = context
  const batch = createBatchSize<string>(context.turnEventsMax)
  const suspicions = createSuspicions()
  const troubles = createTroubles<string>('projection', log)

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
      // Those before it have nothing new, or are in others' hands. Of this one there may be more.
      queue.putBack(names.slice(names.indexOf(report.name) + 1))
      queue.add(report.name)
      if (report.ms > slowTurnMs) batch.halve(report.name)
      else if (report.cut === undefined) {
        batch.learn(
          report.name,
          report.events,
          report.events,
          report.chars,
          report.ms < slowTurnMs / growthMax,
        )
      }
      suspicions.learn(report)
    } catch (error) {
      const failed = error instanceof TurnFailed ? error.projection : undefined
      const cause = error instanceof TurnFailed ? error.cause : undefined
      // Deterministic: the same turn would come to the same again. Look for the event that is to blame.
      if (error instanceof TurnFailed && (cause instanceof DataRefused || cause instanceof Stuck)) {
        const places = cause instanceof StuckAt ? cause.places : undefined
        suspicions.add(error.projection, places, batch.size(error.projection))
      }
      queue.putBack(names.filter((name) => name !== failed))
      const { ownMs, loopMs } = troubles.note(failed, error)
      if (failed !== undefined) {
        queue.defer(failed, ownMs)
        // What is slow to fold must not run into the same timeout for ever.
        if (!(cause instanceof NotImported)) batch.halve(failed)
      }
      if (loopMs > 0) await pause(loopMs, signal)
    }
  }
}

/** What is to be found out, by projection. Somebody else may find the event to blame, or a rebuild pass it. */
function createSuspicions() {
  const suspicions = new Map<string, { readonly what: Suspicion; readonly left: number }>()
  return {
    of: (name: string): Suspicion | undefined => suspicions.get(name)?.what,
    /** Of those `places`; or, if they are not known, of so many events from here on. */
    add(name: string, places: readonly Place[] | undefined, countMax: number): void {
      suspicions.set(name, { what: places ?? 'each event', left: places?.length ?? countMax })
    },
    learn({ name, failed, cut }: TurnReport): void {
      const known = suspicions.get(name)
      if (known === undefined) return
      const left = known.left - Number(cut === 'to one')
      if (failed || left <= 0) suspicions.delete(name)
      else suspicions.set(name, { ...known, left })
    },
  }
}
