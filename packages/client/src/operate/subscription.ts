// What answers about subscriptions have.
import type { OnExhausted, SubscriptionFilter, SubscriptionOrder } from '@sekali/core/subscription'

/** What is said once, of whatever kind. */
interface NewShape {
  /** A topic or a pattern; of a pattern also the topics that are to come. Stays. */
  readonly topics: string
  /** Where it begins, when it is made: `start`, `now` (the default), a time, or a cursor. */
  readonly from?: string | undefined
  /** `source`: never two events of a source at a time, and by their seq. `topic`: one batch at a time. `none` by default. Stays. */
  readonly order?: SubscriptionOrder | undefined
  /** Which events: what does not match counts as settled. Stays. */
  readonly filter?: SubscriptionFilter | undefined
}

/** What is said once, and what may change later. What is left out gets its default, in a change too. */
export interface NewPullSubscription extends NewShape {
  readonly kind?: 'pull' | undefined
  /** With the order `source`: events of one source that one worker may have at a time; 1 by default. Stays. */
  readonly source_batch?: number | undefined
  /** For how long a worker has what it pulls: 30 by default. */
  readonly lease_s?: number | undefined
  /** Events that workers may have at a time, all of them together: 1,000 by default. */
  readonly outstanding_max?: number | undefined
  /** After so many attempts an event is a dead letter: 5 by default. */
  readonly deliveries_max?: number | undefined
  /** The waits after the first attempt, the second and so on; the last one holds for all that follow. */
  readonly backoff_s?: readonly number[] | undefined
  /** Whether a dead letter holds what is ordered behind it: `skip` by default. */
  readonly on_exhausted?: OnExhausted | undefined
}

/** The same of one whose events are sent to an endpoint. */
export interface NewPushSubscription extends NewShape {
  readonly kind: 'push'
  readonly url: string
  /** Sent with each request. Answers have their names alone. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Requests at a time: 10 by default. */
  readonly concurrency?: number | undefined
  /** Requests that begin in a second, at most; without it there is no such bound. */
  readonly rate_per_s?: number | undefined
  /** A request that takes longer has failed: 15 by default. */
  readonly timeout_s?: number | undefined
  /** `standard` by default: type, timestamp and data. `event`: the event as answers have it. */
  readonly body?: PushBody | undefined
  /** Events in a request, at most: 1 by default. With more, its body is an array, also of one event; a retry has one. */
  readonly batch_max?: number | undefined
  /** The waits before the second attempt, the third and so on, each by up to a fifth more or less. */
  readonly retry_s?: readonly number[] | undefined
  /** What a dead letter does: `stop` disables the endpoint. `skip` by default. */
  readonly on_exhausted?: PushOnExhausted | undefined
}

export type NewSubscription = NewPullSubscription | NewPushSubscription
export type PushBody = 'standard' | 'event'
export type PushOnExhausted = OnExhausted | 'stop'

/** A source that holds others back, or without one a whole topic. */
export interface Blocker {
  readonly topic: string
  readonly source?: string
}

/** What one is about, and how far it is. Counts are of events; times are RFC 3339, UTC. */
interface Status {
  readonly name: string
  readonly topics: string
  readonly order: SubscriptionOrder
  readonly filter?: SubscriptionFilter
  /** Behind the floors up to the heads: what is not settled, and some that is. */
  readonly lag: number
  /** With a filter: lag counts also what does not match. */
  readonly lag_is_bound: boolean
  /** Workers have them, or they are on their way. */
  readonly outstanding: number
  /** They are handed out again later. */
  readonly retrying: number
  /** They wait for others of their source or topic. */
  readonly waiting: number
  /** Its open dead letters. */
  readonly dead: number
  /** What stands behind a dead letter, with `on_exhausted` block: ten at most. */
  readonly blocked: readonly Blocker[]
  /** When the oldest event that is not settled was stored; null if all are. */
  readonly oldest_unsettled_at: string | null
  readonly created_at: string
  readonly created_by: string
  readonly changed_at: string
}

/** One that workers pull from. */
export interface PullSubscription extends Status {
  readonly kind: 'pull'
  readonly source_batch: number
  readonly lease_s: number
  readonly outstanding_max: number
  readonly deliveries_max: number
  readonly backoff_s: readonly number[]
  readonly on_exhausted: OnExhausted
  /** `paused`: nothing is handed out. */
  readonly state: 'active' | 'paused'
}

/** One whose events are sent to an endpoint. */
export interface PushSubscription extends Status {
  readonly kind: 'push'
  readonly url: string
  /** Of the headers that are sent along. */
  readonly header_names: readonly string[]
  readonly concurrency: number
  readonly rate_per_s: number | null
  readonly timeout_s: number
  readonly body: PushBody
  readonly batch_max: number
  readonly retry_s: readonly number[]
  readonly on_exhausted: PushOnExhausted
  /** Nothing is lost in any of them. `degraded`: it fails. `disabled`: nothing is sent, see `why`. */
  readonly state: 'active' | 'degraded' | 'disabled' | 'paused'
  /** `gone`: it answered 410. `failing`: for days. `exhausted`: a dead letter, with `on_exhausted` stop. */
  readonly why: 'gone' | 'failing' | 'exhausted' | null
  readonly state_since: string
  /** Since the last success. */
  readonly failures: number
  readonly failing_since: string | null
  /** Nothing is sent until then: it asked for that, or fails. */
  readonly held_until: string | null
  readonly next_probe_at: string | null
  /** From 0 to 1, of its newest attempts of a day; null if there is none. */
  readonly success_rate: number | null
  /** Newest first, without their texts. Not in lists. */
  readonly secrets?: readonly SecretInfo[]
  /** Only in the answer that has made it. */
  readonly secret?: string
}

export type Subscription = PullSubscription | PushSubscription

/** What requests are signed with, without its text. */
export interface SecretInfo {
  readonly id: number
  readonly created_at: string
  readonly created_by: string
  /** Until then it signs beside the newest. */
  readonly expires_at: string | null
}

export interface RotatedSecret {
  readonly id: number
  /** No other answer has it. */
  readonly secret: string
  readonly secrets: readonly SecretInfo[]
}

export interface AttemptsQuery {
  readonly state?: 'delivered' | 'failed' | undefined
  readonly topic?: string | undefined
  readonly seq?: number | undefined
  /** Those listed behind this one. */
  readonly after?: number | undefined
  /** Attempts a request, from 1 to 100: all come, page after page. */
  readonly limit?: number | undefined
}

/** Several values of a header in the order in which they came. */
export type HeaderValues = Readonly<Record<string, string | readonly string[]>>

/** A request to an endpoint, and what came back. */
export interface Attempt {
  readonly id: number
  readonly at: string
  readonly kind: 'event' | 'probe' | 'test'
  /** Null of a test, as is `seq`. */
  readonly topic: string | null
  /** From the second on, after a restore. */
  readonly epoch?: number
  readonly seq: number | null
  /** 1 the first time. */
  readonly attempt: number
  readonly state: 'delivered' | 'failed'
  /** Null if no answer came. */
  readonly status: number | null
  /** Why it failed, where the status does not say it. */
  readonly error: string | null
  readonly duration_ms: number
  readonly request: { readonly url: string; readonly headers: HeaderValues }
  readonly response: {
    readonly headers: HeaderValues
    /** Of at most 16 KiB; `cut` if there was more. */
    readonly body: string
    readonly cut: boolean
  } | null
  /** After so long it is sent again. */
  readonly retry_in_s: number | null
}

export interface SubscriptionsQuery {
  /** Those behind this name. */
  readonly after?: string | undefined
  /** Subscriptions a request, from 1 to 1,000: all come, page after page. */
  readonly limit?: number | undefined
}

/** What a seek does, or would do. */
export interface Sought {
  readonly dry_run: boolean
  /** Events that workers have or that wait for a retry: their tokens end. */
  readonly lost: number
  /** Settled events that are handed out again. */
  readonly again: number
  /** Events that are not settled and will not be handed out. */
  readonly skipped: number
}
