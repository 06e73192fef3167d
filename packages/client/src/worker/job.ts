import { SekaliError } from '@sekali/core/errors'
import { subscriptionLimits } from '@sekali/core/subscription'
import { requireText, requireWhole } from '../arguments.ts'
import type { Settle, Settlement } from './settle.ts'

/** Somebody else was given the event, or a seek took it: what this job does with it counts for nothing here. */
export class LeaseLost extends SekaliError {
  readonly code = 'lease_lost'
  readonly retryable = false
}

/** An event of a pull, in whatever form it is read. */
export interface PulledItem<Event extends Numbered> {
  readonly token: string
  readonly attempt: number
  readonly event: Event
}

export interface Numbered {
  readonly topic: string
  readonly seq: number
}

/**
 * An event to work on. Nobody else gets it until it is settled, or its lease ends; the lease is extended while it is held. The
 * first way in which it is settled counts, later ones change nothing. Each rejects with LeaseLost if somebody else has it.
 */
export interface JobOf<Event extends Numbered> {
  readonly event: Event
  /** 1 the first time. */
  readonly attempt: number
  /** What settles it; a worker on the same PostgreSQL may settle it there, in its own transaction. */
  readonly token: string
  /** Aborted, with LeaseLost, once somebody else may have the event. */
  readonly signal: AbortSignal
  /** It is done. */
  ack(): Promise<void>
  /** Again later: after so many seconds, or after the subscription's next wait. */
  nak(delaySeconds?: number): Promise<void>
  /** Never again: a dead letter at once. The reason is kept with it, up to 256 characters. */
  term(reason?: string): Promise<void>
  /** For another worker, at once; no attempt is counted. */
  release(): Promise<void>
  /** Begins the lease anew, or one of so many seconds. It happens by itself, too. */
  extend(leaseSeconds?: number): Promise<void>
}

/** How a job ends. */
export type Ending = Pick<Settlement, 'do' | 'delay_s' | 'reason'>

/** A job, and what the pool must know of it. */
export interface Held<Event extends Numbered> {
  readonly job: JobOf<Event>
  /** Whether its lease is to be extended. */
  isOpen(): boolean
  /** Settles it, if nobody has done so. */
  settle(ending: Ending): Promise<void>
}

/** `onSettled` is called once it is settled, or cannot be. */
export function hold<Event extends Numbered>(
  { token, attempt, event }: PulledItem<Event>,
  ask: Settle,
  onSettled: () => void,
): Held<Event> {
  const lost = new AbortController()
  let settling: Promise<void> | undefined

  async function send(ending: Ending): Promise<void> {
    lost.signal.throwIfAborted()
    const result = await ask({ token, ...ending })
    if (result === 'done' || result === 'already_settled') return
    const { topic, seq } = event
    lost.abort(new LeaseLost(`the lease of ${topic} seq ${seq} is lost: another worker may have the event`))
    throw lost.signal.reason
  }

  function settle({ reason, ...ending }: Ending): Promise<void> {
    settling ??= send({ ...ending, reason: reason && oneLine(reason) }).finally(onSettled)
    return settling
  }

  const job: JobOf<Event> = {
    event,
    attempt,
    token,
    signal: lost.signal,
    ack: () => settle({ do: 'ack' }),
    async nak(delaySeconds) {
      requireSeconds('delaySeconds', delaySeconds, 0, subscriptionLimits.backoffSecondsMax)
      await settle({ do: 'nak', delay_s: delaySeconds })
    },
    async term(reason) {
      if (reason !== undefined) requireText('reason', reason)
      await settle({ do: 'term', reason })
    },
    release: () => settle({ do: 'release' }),
    async extend(leaseSeconds) {
      requireSeconds('leaseSeconds', leaseSeconds, 1, subscriptionLimits.leaseSecondsMax)
      await send({ do: 'extend', delay_s: leaseSeconds })
    },
  }
  return { job, isOpen: () => settling === undefined && !lost.signal.aborted, settle }
}

function requireSeconds(name: string, seconds: number | undefined, min: number, max: number): void {
  if (seconds !== undefined) requireWhole(name, seconds, min, max)
}

/** The message of an error may have lines, and be long: one that the gateway refuses would spoil what is settled with it. */
const oneLine = (reason: string): string | undefined =>
  reason
    .slice(0, subscriptionLimits.reasonCharsMax)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim() || undefined
