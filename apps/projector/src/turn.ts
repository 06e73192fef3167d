/**
 * A projector's turn: one pass over what one projection has not folded yet.
 *
 *     BEGIN
 *       lock the generation's row                     whoever has it may fold, nobody else can
 *       begin another generation instead              if a restore has taken away what this one has folded
 *       read the events after the checkpoints         by seq, without a gap, of all topics that have more
 *       read the states of their keys, fold           pure: nothing outside of this transaction changes
 *       write states, checkpoints and revision        together or not at all, and only onto the revision that was read
 *       swap, when it was being built and is now level
 *     COMMIT
 *
 * Killed before COMMIT, it leaves nothing behind. After COMMIT there is nothing left to do.
 */
import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'
import { notifySupervisor } from '@sekali/process/notice'
import { type Folded, notedEvents } from '@sekali/projection/fold'
import { foldAnewIfAstray } from '@sekali/store/astray'
import { type Store, type Tx, withTransaction } from '@sekali/store/connect'
import type { Gap } from '@sekali/store/gaps'
import {
  endProjectionTurn,
  endSuspectedTurn,
  type Generation,
  goLive,
  holdLive,
  type ProjectionFailure,
  readBehind,
  readStates,
  takeProjectionTurn,
} from '@sekali/store/projection-turn'
import { Stuck } from './confined/fold-process.ts'
import { NotLoaded } from './definitions/errors.ts'
import type { Folding } from './definitions/folding.ts'
import type { HeldProcess, LoadedDefinition } from './definitions/held-process.ts'
import { presentable } from './definitions/not-loaded.ts'
import { charsOf, checkpointsAfter, countLeft, type Read, readEvents, turnTopicsMax } from './read-events.ts'
import { type Cut, cutShort, failureOf, StuckAt, type Suspicion, skippedOf } from './suspicion.ts'

/** Where a test may stop a projector dead; see process/start/failpoint.ts. */
export type TurnPoint = 'locked' | 'read' | 'folded' | 'written' | 'swapped' | 'committed'

export interface TurnContext {
  readonly store: Store
  readonly folding: Folding
  readonly log: Logger
  /** Called when a turn has come to a point. */
  readonly at: (point: TurnPoint) => void
}

export interface TurnRequest {
  /** What may be folded; the first that is behind and free gets the turn. */
  readonly definitions: readonly LoadedDefinition[]
  readonly countMax: (name: string) => number
  readonly suspicionOf: (name: string) => Suspicion | undefined
}

export interface TurnReport {
  readonly name: string
  readonly events: number
  /** Characters of payloads, and of states before and after. */
  readonly chars: number
  readonly failed: boolean
  /** Without the time of imports, or of the turns before it. */
  readonly ms: number
  readonly cut: Cut
}

/** A turn that began and failed, so that the caller can tell whose fault it is. */
export class TurnFailed extends SekaliError {
  readonly code = 'turn_failed'
  readonly retryable: boolean
  readonly projection: string

  constructor(projection: string, cause: unknown) {
    super(`turn of ${projection} failed`, { cause })
    this.retryable = cause instanceof SekaliError && cause.retryable
    this.projection = projection
  }
}

/**
 * Takes a turn of one of the projections. `undefined` when there is nothing to fold, or others have the turns.
 * Throws {@link TurnFailed}, or `StoreUnavailable` when no turn could be taken.
 */
export const runTurn = (context: TurnContext, request: TurnRequest): Promise<TurnReport | undefined> =>
  context.folding.hold(async (process) => {
    for (let left = request.definitions.length; ; left--) {
      try {
        return await tryTurn({ ...context, process }, request)
      } catch (error) {
        if (!(error instanceof TurnFailed && error.cause instanceof NotLoaded) || left === 0) throw error
        // With no transaction open: an import may take longer than PostgreSQL waits for its next statement.
        await process.load(error.cause.source).catch((cause: unknown) => {
          throw new TurnFailed(error.projection, cause)
        })
      }
    }
  })

interface HeldContext extends TurnContext {
  readonly process: HeldProcess
}

async function tryTurn(context: HeldContext, request: TurnRequest): Promise<TurnReport | undefined> {
  const { store, log, at } = context
  let generation: Generation | undefined
  let outcome: Outcome | undefined
  const began = performance.now()
  try {
    await withTransaction(store, 'projection turn', async (tx) => {
      const wanted = request.definitions.map(({ name, version, source: { hash } }) => ({
        name,
        version,
        hash,
      }))
      generation = await takeProjectionTurn(tx, wanted)
      if (generation === undefined) return
      at('locked')
      outcome = await advance(context, tx, generation, request)
    })
  } catch (error) {
    throw generation === undefined ? error : new TurnFailed((generation as Generation).name, error)
  }
  if (generation === undefined || outcome === undefined) return undefined
  at('committed')
  const { name, version } = generation as Generation
  const { folded, failure, isLive, chars, cut, astray } = outcome as Outcome
  const about = { projection: name, version }
  if (astray) log.warn({ ...about, topics: astray }, 'folded anew: a restore took away what it had folded')
  if (isLive) log.info(about, 'projection is live')
  if (failure !== undefined) {
    const { topic, seq, message } = failure
    log.error({ ...about, topic, seq }, `projection failed: ${message}`)
    notifySupervisor({ stopped: { name, topic, seq, message: presentable(message) } })
  }
  if (folded.skipped !== undefined) {
    const { count, last } = folded.skipped
    const { topic, seq } = last.event
    log.warn({ ...about, count, topic, seq }, 'events skipped that cannot be folded')
  }
  const ms = performance.now() - began
  return { name, events: folded.count, chars, failed: failure !== undefined, ms, cut }
}

interface Outcome {
  readonly folded: Folded
  /** Why the projection stops. */
  readonly failure: ProjectionFailure | undefined
  readonly isLive: boolean
  readonly chars: number
  readonly cut: Cut
  /** Topics of which it had folded what a restore took away. Then another generation has begun, and this did nothing. */
  readonly astray?: readonly string[]
}

const nothing = { failure: undefined, isLive: false, chars: 0, cut: undefined } as const

async function advance(
  context: HeldContext,
  tx: Tx,
  generation: Generation,
  { definitions, countMax, suspicionOf }: TurnRequest,
): Promise<Outcome> {
  const definition = definitions.find(({ name }) => name === generation.name)
  if (definition === undefined) throw new Error('a turn that nobody asked for')
  const astray = await foldAnewIfAstray(tx, generation)
  if (astray.length > 0) return { ...nothing, folded: { states: new Map(), count: 0 }, astray }
  context.process.mustHave(definition.source)
  const suspicion = suspicionOf(generation.name)
  const limit = suspicion === 'each event' ? 1 : countMax(generation.name)

  let topics = await readBehind(tx, generation, Math.random(), turnTopicsMax)
  const mayEnd = topics.length < turnTopicsMax && countLeft(topics) <= limit
  if (generation.stage === 'building' && mayEnd) {
    // The live generation stands still while this one reads to the end. Then this one has everything that the live one
    // has, and no reader sees the projection go back.
    await holdLive(tx, generation)
    topics = await readBehind(tx, generation, 0, turnTopicsMax)
  }
  const read = await readEvents(tx, topics, limit)
  context.at('read')
  const { events, cut } = cutShort(read.events, suspicion)
  const gap = cut === undefined ? read.gap : undefined
  const portion = { events, gap, isAlone: cut === 'to one' }
  const result = await foldInto(context, tx, generation, definition, portion)
  const isWhole = read.atEnd && events.length === read.events.length
  const isLive = generation.stage === 'building' && isWhole && result.failure === undefined
  if (isLive) {
    await goLive(tx, generation)
    context.at('swapped')
  }
  return { ...result, isLive, cut }
}

/** What a turn is to fold. */
interface Portion {
  readonly events: readonly Read[]
  /** What follows the events, if nothing can. */
  readonly gap: Gap | undefined
  /** Whether it is one event, which is under suspicion. */
  readonly isAlone: boolean
}

async function foldInto(
  { at, process }: HeldContext,
  tx: Tx,
  generation: Generation,
  definition: LoadedDefinition,
  { events, gap, isAlone }: Portion,
): Promise<Pick<Outcome, 'folded' | 'failure' | 'chars'>> {
  let before: ReadonlyMap<string, string> = new Map()
  let folded: Folded
  try {
    const prepared = await process.prepare(definition, events)
    before = await readStates(tx, generation, prepared.keys)
    folded = await prepared.fold(before)
  } catch (error) {
    if (!(error instanceof Stuck)) throw error
    const [event] = events
    const noted = error.at === undefined ? [] : events.slice(error.at, error.at + notedEvents)
    if (event === undefined || !isAlone) throw noted.length === 0 ? error : new StuckAt(error, noted)
    folded = { states: new Map(), count: 0, failure: { event, message: error.message } }
  }
  at('folded')
  const [first] = events
  let failure = failureOf(folded, gap)
  if (first !== undefined || failure !== undefined) {
    const progress = {
      states: folded.states,
      checkpoints: checkpointsAfter(events.slice(0, folded.count)),
      failure,
      skipped: skippedOf(folded),
    }
    if (first === undefined || !isAlone) await endProjectionTurn(tx, generation, progress)
    else {
      const message = await endSuspectedTurn(tx, generation, progress, first)
      if (message !== undefined) {
        folded = { states: new Map(), count: 0 }
        failure = { ...first, message }
      }
    }
  }
  at('written')
  const texts = [events.map(({ payload }) => payload), before.values(), folded.states.values()]
  return { folded, failure, chars: texts.reduce((sum, some) => sum + charsOf(some), 0) }
}
