/**
 * Which event is to blame when a definition got stuck, or when PostgreSQL refused a state. Both are deterministic: the
 * same turn would end the same way. So the events are folded one by one until one of them fails alone.
 */
import type { StoredEvent } from '@sekali/core/event'
import type { Folded } from '@sekali/projection/fold'
import { type Gap, gapText } from '@sekali/store/gaps'
import type { ProjectionFailure } from '@sekali/store/projection-turn'
import { Stuck } from './confined/fold-process.ts'

/** An event, by what identifies it in the log. */
export type EventRef = Pick<StoredEvent, 'topic' | 'seq'>

/** What is folded alone: each event, or each of a few suspects; the events before a suspect are folded together. */
export type Suspicion = 'each event' | readonly EventRef[]

/** How a turn was cut short for a suspicion: to one suspect, or to the events before it. */
export type Cut = 'to one' | 'to those before' | undefined

/** A definition got stuck at one of a few events. */
export class StuckAt extends Stuck {
  readonly suspects: readonly EventRef[]

  constructor(stuck: Stuck, suspects: readonly EventRef[]) {
    super(stuck.message, stuck.at)
    this.suspects = suspects
  }
}

/** The events before the first suspect; or the first event alone, if it is a suspect. */
export function cutShort<Event extends EventRef>(
  events: readonly Event[],
  suspicion: Suspicion | undefined,
): { readonly events: readonly Event[]; readonly cut: Cut } {
  const isSuspect = ({ topic, seq }: EventRef) =>
    suspicion === 'each event' || suspicion?.some((one) => one.topic === topic && one.seq === seq)
  const at = events.findIndex(isSuspect)
  if (at < 0) return { events, cut: undefined }
  return at === 0
    ? { events: events.slice(0, 1), cut: 'to one' }
    : { events: events.slice(0, at), cut: 'to those before' }
}

export interface Suspicions {
  of(projection: string): Suspicion | undefined
  /** Suspects these events; if they are not known, the next `countMax` events. */
  add(projection: string, suspects: readonly EventRef[] | undefined, countMax: number): void
  /** Learns from a turn. A suspicion ends when the projection has failed, or all suspects were folded. */
  learn(turn: { readonly name: string; readonly failed: boolean; readonly cut: Cut }): void
}

/**
 * The suspicions of one projector, by projection. They also end without its finding the event: another projector may find
 * it, or a rebuild may pass it.
 */
export function createSuspicions(): Suspicions {
  const suspicions = new Map<string, { readonly what: Suspicion; readonly left: number }>()
  return {
    of: (projection) => suspicions.get(projection)?.what,
    add(projection, suspects, countMax) {
      suspicions.set(projection, { what: suspects ?? 'each event', left: suspects?.length ?? countMax })
    },
    learn({ name, failed, cut }) {
      const known = suspicions.get(name)
      if (known === undefined) return
      const left = known.left - Number(cut === 'to one')
      if (failed || left <= 0) suspicions.delete(name)
      else suspicions.set(name, { ...known, left })
    },
  }
}

/** Nothing is folded past a gap, as past an event that cannot be folded: states would lack what was there. */
export function failureOf({ failure }: Folded, gap: Gap | undefined): ProjectionFailure | undefined {
  if (failure !== undefined) return { ...failure.event, message: failure.message }
  return gap && { ...gap, eventId: '', message: `${gapText(gap)}, and nothing is folded past it` }
}

export const skippedOf = ({ skipped }: Folded): { count: number; last: ProjectionFailure } | undefined =>
  skipped && { count: skipped.count, last: { ...skipped.last.event, message: skipped.last.message } }
