// Everything that the checks look at: what we know from the answers, and what was read back afterwards.

import type { Books, Span } from '../clients/books.ts'
import type { LogRow, Seen } from '../clients/log.ts'
import type { Lookup } from '../clients/lookup.ts'
import { outcomeNames } from '../clients/outcomes.ts'
import type { Projections } from '../clients/projections.ts'
import type { TailSeen } from '../clients/tails.ts'
import type { ReceiverNote } from '../receivers/notes.ts'
import type { EndpointPlan } from '../receivers/plan.ts'
import type { Note } from '../workers/notes.ts'
import type { Plan } from '../workers/plan.ts'
import type { AbuseFigures } from './abuse-verdict.ts'

/** What a check comes to. */
export interface Finding {
  /** Undefined when the promise was kept. */
  readonly violation: string | undefined
  /** How much was looked at, in words. */
  readonly checked: string
}

export const figureNames = ['accepted', ...outcomeNames, 'in_flight'] as const

/** The outcomes that PostgreSQL has a column of; of what is stored it has `head`. */
export const countedNames = outcomeNames.filter((name) => name !== 'stored')

type Figures = { readonly [Name in (typeof figureNames)[number]]: number | null }

/** The figures of a topic in /stats; null is what it does not know. */
export interface StatsRow extends Figures {
  /** When it last found that Redis had lost data of the topic. */
  readonly loss_at: string | null
}

/** A topic's row in PostgreSQL, and what can be counted there. */
export interface SqlRow extends Readonly<Record<(typeof countedNames)[number], number>> {
  readonly head: number
  readonly eventRows: number
  readonly conflictRows: number
  readonly deadRows: number
}

/** A fault destroyed what Redis held. Times are by the wall clock, in milliseconds. */
export interface Loss {
  readonly fault: string
  /** Undefined when it was every topic's. */
  readonly topic: string | undefined
  readonly from: number
  readonly until: number
  /** What was acknowledged before this was accounted for when it happened, so it cannot have been lost. */
  readonly safeBefore: number
  /** Other faults under way at the same time. */
  readonly beside: readonly string[]
}

/** What alone knew of entries that no consumer had seen is gone. */
const endsGateways = new Set(['kill-gateway', 'power-cut', 'rolling-restart'])

/** Whether a gateway may have been gone that could have told what was lost. */
export const isForgotten = ({ beside }: Loss): boolean => beside.some((fault) => endsGateways.has(fault))

/** PostgreSQL is put back to an earlier state: from a backup, or to that of a standby that lagged. */
const restores = new Set(['restore', 'postgres-lag'])

/** Redis goes on with less: its file is torn, or a replica takes over that lacks the last entries. */
const rewinds = new Set(['truncate-aof', 'redis-kill', 'redis-split'])

/** Whether PostgreSQL was put back, so that what was stored, and said of it, is gone. */
export const isRestore = ({ fault }: Loss): boolean => restores.has(fault)

/** Whether /stats must know to the entry what went with it. */
export const isCounted = (loss: Loss): boolean =>
  isRestore(loss) || (rewinds.has(loss.fault) && !isForgotten(loss))

/** The losses that may have taken the entry of a request, or of one of those that lie in a span. */
export const takenBy = ({ sentAt, at }: Span, topic: string, losses: readonly Loss[]): readonly Loss[] =>
  losses.filter((loss) => (loss.topic ?? topic) === topic && sentAt <= loss.until && at >= loss.safeBefore)

/** How far a group was in a topic, at one moment, by SQL. */
export interface FloorSample {
  readonly subscription: string
  readonly topic: string
  /** On the clock of the notes: after it was read. */
  readonly at: number
  readonly floor: number
  /** The first event that is leased, retrying or waiting, or the one behind the last that was looked at. */
  readonly firstUnsettled: number
}

/** A dead letter of a delivery. */
export interface DeadDelivery {
  readonly topic: string
  readonly seq: number
}

export interface GroupEvidence {
  readonly plans: readonly Plan[]
  /** By worker. */
  readonly notes: ReadonlyMap<string, readonly Note[]>
  /** By subscription. */
  readonly dead: ReadonlyMap<string, readonly DeadDelivery[]>
  /** In the order in which they were taken; undefined where the target gives no access to PostgreSQL. */
  readonly floors: readonly FloorSample[] | undefined
  readonly drain: Drain
}

/** An attempt at an endpoint, as PostgreSQL has it. */
export interface AttemptSeen extends DeadDelivery {
  readonly attempt: number
  readonly isDelivered: boolean
  /** Null where no answer came. */
  readonly status: number | null
  readonly error: string | null
}

/** What PostgreSQL had of all endpoints at one moment. */
export interface EndpointLook {
  /** Events that are neither delivered nor dead nor unsettled, in words. */
  readonly unaccounted: readonly string[]
  /** Events that were looked at. */
  readonly events: number
  /** Attempts that are written down. */
  readonly attempts: number
}

export interface EndpointEvidence {
  readonly plans: readonly EndpointPlan[]
  /** By receiver: if one is killed, another follows. */
  readonly notes: readonly (readonly ReceiverNote[])[]
  /** By subscription, all three; in the order in which they were written down. */
  readonly dead: ReadonlyMap<string, readonly DeadDelivery[]>
  readonly unsettled: ReadonlyMap<string, readonly DeadDelivery[]>
  readonly attempts: ReadonlyMap<string, readonly AttemptSeen[]>
  /** How many attempts hold a secret. */
  readonly shown: number
  readonly looks: readonly EndpointLook[]
  /** Lines of logs that hold a secret. */
  readonly lines: readonly string[]
  readonly drain: Drain
}

/** How long it took until nothing was left. */
interface Drain {
  /** From the end of the last fault; undefined when that never came. */
  readonly ms: number | undefined
  readonly msMax: number
  /** What was left, in words. */
  readonly left: string
}

export interface Evidence {
  readonly books: Books
  readonly http: ReadonlyMap<string, readonly LogRow[]>
  readonly stats: ReadonlyMap<string, StatsRow>
  readonly seen: ReadonlyMap<string, readonly Seen[]>
  /** How often the reader was told that a log was restored. */
  readonly told: number
  readonly tails: readonly TailSeen[]
  readonly lookups: readonly Lookup[]
  /** Undefined where the target gives no access to PostgreSQL. */
  readonly sql:
    | {
        readonly log: ReadonlyMap<string, readonly LogRow[]>
        readonly rows: ReadonlyMap<string, SqlRow>
      }
    | undefined
  /** Undefined where there is no projector. */
  readonly projections: Projections | undefined
  readonly losses: readonly Loss[]
  /** Words of the product's log after the first loss that admit it; undefined where nobody can read that. */
  readonly admissions: readonly string[] | undefined
  /** Until nothing was in flight or pending. */
  readonly drain: Drain
  /** Undefined where no workers were. */
  readonly groups: GroupEvidence | undefined
  /** Undefined where no webhooks are sent. */
  readonly endpoints: EndpointEvidence | undefined
  /** Faults after which service did not come back in time, in words. */
  readonly unrecovered: readonly string[]
  /** Processes that ended although nobody killed them, in words. */
  readonly ended: readonly string[]
  /** Memory, connections and names that are not back to where they were, in words. */
  readonly leaks: readonly string[]
  readonly abuses: readonly AbuseFigures[]
}
