/** The shapes of subscriptions. Limits are in `@sekali/core/subscription`; whoever calls has checked them. */
import type { Cursor } from '@sekali/core/cursor'
import type { StoredEvent, TopicName } from '@sekali/core/event'
import type { EpochPlace } from '@sekali/core/fork'
import type { TopicPattern } from '@sekali/core/pattern'
import type {
  OnExhausted,
  SettleAction,
  SettleResult,
  SubscriptionFilter,
  SubscriptionOrder,
} from '@sekali/core/subscription'

/** What may change later. */
export interface SubscriptionSettings {
  /** Seconds after which an event that is not settled may go to another worker. */
  readonly leaseSeconds: number
  /** Events that are outstanding or wait for their retry, at most. */
  readonly outstandingMax: number
  /** Deliveries after which an event becomes a dead letter. */
  readonly deliveriesMax: number
  /** Seconds before the second, third … delivery; the last one for all that follow. Empty: at once. */
  readonly backoffSeconds: readonly number[]
  readonly onExhausted: OnExhausted
}

/** What is said once. */
export interface SubscriptionShape {
  readonly kind: 'pull'
  readonly topics: TopicPattern
  readonly order: SubscriptionOrder
  readonly filter: SubscriptionFilter
  /** Order source alone: events of one source that may be outstanding at once, in one grant; 1 is strict. */
  readonly sourceBatch: number
}

/**
 * Where to begin: with the first events, behind the last ones, with what was stored at a time (UTC) or later, or behind a place. A
 * place that a restore took away is where its log has forked.
 */
export type From =
  | 'start'
  | 'now'
  | { readonly time: string }
  /** Of a topic, or of topics by id or name. A topic that it lacks begins at its start. */
  | { readonly after: EpochPlace | Cursor | ReadonlyMap<string, EpochPlace> }

export interface SubscriptionConfig extends SubscriptionShape, SubscriptionSettings {
  readonly name: string
  /** Counts when the subscription is created, and at no other time. */
  readonly from: From
}

export interface Subscription extends Omit<SubscriptionSettings, 'onExhausted'> {
  readonly id: number
  readonly name: string
  readonly kind: 'pull' | 'push'
  /** The pattern's text. */
  readonly topics: string
  readonly order: SubscriptionOrder
  readonly filter: SubscriptionFilter
  readonly sourceBatch: number
  /** `stop` of push alone: its endpoint is disabled then. */
  readonly onExhausted: OnExhausted | 'stop'
  readonly state: 'active' | 'paused'
  /** 1, and one more after each seek. */
  readonly generation: number
  /** UTC. */
  readonly createdAt: string
  readonly createdBy: string
  readonly changedAt: string
}

/** A source, or with order topic a topic, that stands still because of a dead letter, or because its event is outstanding. */
export interface Blocking {
  readonly topic: TopicName
  /** Null with order topic. */
  readonly source: string | null
}

/** How a subscription stands. Counts are of events. */
export interface SubscriptionStatus extends Subscription {
  /** Behind the floors up to the heads: what is not settled, and with a filter perhaps what it leaves out. */
  readonly lag: number
  /** Whether lag is an upper bound, as with a filter. */
  readonly lagIsBound: boolean
  /** Handed out and not settled, and their lease runs. */
  readonly outstanding: number
  /** Waiting for their next delivery: nakked, released, or their lease is over. */
  readonly retrying: number
  /** Looked at and not handed out: their source is busy. */
  readonly waiting: number
  /** Sources (or topics) behind an open dead letter, with `on_exhausted` block: ten at most. */
  readonly blocked: readonly Blocking[]
  /** Open dead letters. */
  readonly dead: number
  /** When the oldest event was stored that is not settled; null when there is none. With a filter of those looked at. */
  readonly oldestUnsettledAt: string | null
  /** When the first of those that are retrying was due, or will be; null when there is none. */
  readonly retryDueAt: string | null
}

export interface PullRequest {
  readonly name: string
  /** Events at most, from 1. */
  readonly max: number
  /** Bytes of payloads at most; the first event comes whatever its size. */
  readonly bytesMax: number
  /** Who asks, for people who look. */
  readonly worker?: string | undefined
}

export interface PulledEvent {
  readonly token: string
  readonly topicId: number
  /** 1 for the first delivery. */
  readonly attempt: number
  /** With topic, seq and, above 1, epoch. */
  readonly event: StoredEvent
}

/** So many events of a topic that go out together. */
export interface PulledPortion {
  readonly topic: TopicName
  readonly events: number
  /** Items of the answer, `{"token","attempt","event"}` each, with commas between them. */
  readonly json: string
}

/** What a pull says beside its items. */
export interface PullSummary {
  /** The token of all items at once; null when there are none. */
  readonly grant: string | null
  /** For how long the items are this worker's: who has another clock counts from the answer. */
  readonly leaseSeconds: number
  /** UTC; null when there are none. */
  readonly leaseUntil: string | null
  /** Whether another call at once might bring more: this one stopped at its own bounds. */
  readonly more: boolean
  /** When nothing can go out because the window is full: whose events fill it, ten at most. */
  readonly blockedBy: readonly Blocking[]
  /** When the next retry or expiry is due (UTC), if nothing is settled before; null when there is none. */
  readonly nextDueAt: string | null
  /** The same from the answer on, in milliseconds: so no other clock than the database's counts. */
  readonly nextDueInMs: number | null
}

export interface Pulled extends PullSummary {
  readonly items: readonly PulledEvent[]
}

export interface PulledJson extends PullSummary {
  readonly items: readonly PulledPortion[]
}

/** `unknown`: there is no such subscription. `push`: its events are sent, and nobody pulls them. */
export type NotPulled = 'unknown' | 'paused' | 'push'

export interface SettleItem {
  /** Of an event, or of a grant: then it is about all of the grant that is open. */
  readonly token: string
  readonly do: SettleAction
  /** With `nak`: seconds before the next delivery, instead of those of the subscription. With `extend`: instead of its lease. */
  readonly delaySeconds?: number | undefined
  /** With `nak` and `term`: why. It is kept with a dead letter. */
  readonly reason?: string | undefined
}

export interface SettledItem {
  readonly token: string
  readonly result: SettleResult
}

export type PutOutcome =
  | { readonly outcome: 'created' | 'same' | 'changed'; readonly subscription: Subscription }
  /** `field` is one that cannot change. */
  | { readonly outcome: 'immutable'; readonly field: string; readonly subscription: Subscription }
  /** `cursor_ahead`: `from` names a topic or an epoch that is not there. `too_many`: there are as many as there may be. */
  | { readonly outcome: 'actor_ended' | 'too_many' | 'cursor_ahead' }

/** Where a seek leads, or would lead. */
export interface SeekOutcome {
  readonly outcome: 'moved' | 'would_move'
  /** Events outstanding or waiting for their retry whose tokens are lost. */
  readonly lost: number
  /** Settled events that are delivered again, and unsettled ones that are not: by seq, so with a filter upper bounds. */
  readonly again: number
  readonly skipped: number
}

export type SeekRefused = 'unknown' | 'actor_ended' | 'cursor_ahead'

/** A delivery that was given up. */
export interface DeadDelivery {
  /** 1, 2, 3 … */
  readonly id: number
  readonly subscription: string
  readonly topic: TopicName
  readonly epoch: number
  readonly seq: number
  /** Null where somebody has deleted the event's row. */
  readonly eventId: string | null
  readonly source: string | null
  /** How often it was delivered. */
  readonly attempts: number
  /** `exhausted`, `exhausted: ` and what the worker said with its last `nak`, or what it said with `term`. */
  readonly reason: string
  /** UTC. */
  readonly at: string
  readonly state: 'open' | 'redriven' | 'discarded'
  /** When, by whom and why it was redriven or discarded; null while it is open. */
  readonly settledAt: string | null
  readonly settledBy: string | null
  readonly settledReason: string | null
}
