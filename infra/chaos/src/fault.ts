import type { AbuseFigures } from './check/abuse-verdict.ts'
import type { Workload } from './clients/workload.ts'
import { until } from './clock.ts'
import type { Random } from './random.ts'
import type { Receivers } from './receivers/receivers.ts'
import type { Facet, Target, TargetWith } from './targets/target.ts'
import type { Workers } from './workers/workers.ts'

export interface FaultContext<F extends Facet = Facet> {
  readonly target: TargetWith<F>
  readonly random: Random
  readonly workload: Pick<Workload, 'accelerate' | 'rest' | 'send'>
  readonly workers: Pick<Workers, 'members' | 'start'>
  /** Undefined where no webhooks are sent. */
  readonly receivers: Omit<Receivers, 'finish' | 'ended'> | undefined
  readonly topics: readonly string[]
  /** Waits; ends early when the run is stopped. */
  pause(ms: number): Promise<void>
  /** How many events were answered with yes so far. */
  acknowledged(): number
  /** `work` destroys something that Redis held, of all topics or of one. */
  destroys(fault: string, work: () => Promise<unknown>, topic?: string): Promise<void>
  /** What came of an abuse; the promise is judged by it at the end. */
  noteAbuse(figures: AbuseFigures): void
  report(what: string): void
}

/** Breaks something and mends it again: when `run` resolves, the fault is over and recovery begins to count. When it
 * rejects, it was not injected, and is not counted; unless with {@link PromiseBroken}. */
export interface Fault {
  readonly name: string
  readonly about: string
  readonly needs: readonly Facet[]
  /** It measures, so that no other one may be under way. */
  readonly alone?: boolean
  run(context: FaultContext, signal: AbortSignal): Promise<void>
}

/** Types the context by what the fault says it needs. */
export function defineFault<const F extends Facet>(fault: {
  readonly name: string
  readonly about: string
  readonly needs: readonly F[]
  readonly alone?: boolean
  run(context: FaultContext<F>, signal: AbortSignal): Promise<void>
}): Fault {
  return { ...fault, run: (context, signal) => fault.run(context as FaultContext<F>, signal) }
}

export const fits = (fault: Pick<Fault, 'needs'>, target: Target): boolean =>
  fault.needs.every((facet) => target[facet] !== undefined)

/** What a fault throws when it has seen a promise broken. Any other error means that it could not be injected. */
export class PromiseBroken extends Error {}

const mendMs = 60_000

/** Tries until it succeeds: what a fault has broken must be mended, also when another one is in the way. */
export async function insist(mend: () => Promise<unknown>): Promise<void> {
  const mended = await until(async () => {
    await mend()
    return true
  }, mendMs)
  if (!mended) throw new Error('a fault could not be ended')
}
