/** The shapes of push subscriptions, beyond those of all subscriptions. Limits are in `@sekali/webhook/limits`. */
import type { StoredEvent, TopicName } from '@sekali/core/event'
import type { OnExhausted } from '@sekali/core/subscription'
import type { PulledEvent, SubscriptionConfig } from '../subscriptions/types.ts'

/** Headers of an endpoint's own. Who has the key of the installation has sealed them; nothing here can read them. */
export interface SealedHeaders {
  readonly names: readonly string[]
  readonly sealed: Buffer
  /** The same for the same headers. */
  readonly tag: Buffer
}

export type DeliveryBody = 'standard' | 'event'

/** What may change later. */
export interface PushSettings {
  readonly url: string
  readonly headers: SealedHeaders | null
  /** Requests that are on their way at once, at most. */
  readonly concurrency: number
  /** Requests that begin in a second, at most; null: as many as there are. */
  readonly ratePerSecond: number | null
  /** Seconds within which an answer must have come. */
  readonly timeoutSeconds: number
  readonly body: DeliveryBody
  /** Events in a request, at most. With more than one its body is an array, also of one event. */
  readonly batchMax: number
  /** Seconds before the second, third … attempt. After the last one the event is exhausted. */
  readonly retrySeconds: readonly number[]
  /** `stop`: the event becomes a dead letter, and the endpoint is disabled. */
  readonly onExhausted: OnExhausted | 'stop'
}

export interface PushConfig
  extends PushSettings,
    Pick<SubscriptionConfig, 'name' | 'topics' | 'order' | 'filter' | 'from'> {}

export interface Endpoint {
  /** The subscription's id. */
  readonly subscription: number
  readonly url: string
  readonly headerNames: readonly string[]
  readonly concurrency: number
  readonly ratePerSecond: number | null
  readonly timeoutSeconds: number
  readonly body: DeliveryBody
  readonly batchMax: number
  /** `degraded`: it fails, and gets one event at a time. `disabled`: it gets none. */
  readonly state: 'active' | 'degraded' | 'disabled'
  /** Of what is disabled: it has said so with 410, nothing came through for days, or an event was given up. */
  readonly why: 'gone' | 'failing' | 'exhausted' | null
  /** Since when the state is that (UTC), as all times. */
  readonly since: string
  /** Failures since the last success. */
  readonly failures: number
  readonly failingSince: string | null
  /** Until then nothing is sent. */
  readonly heldUntil: string | null
  /** When one event tries an endpoint that is disabled as `failing`. */
  readonly probeAt: string | null
}

export interface Secret {
  readonly id: number
  /** UTC. */
  readonly createdAt: string
  readonly createdBy: string
  /** When it no longer signs; null of the newest one. */
  readonly expiresAt: string | null
}

/** `unknown`: there is no such subscription. `not_push`: there is, and it is pulled. `actor_ended`: who asks may do nothing. */
export type NotDone = 'unknown' | 'not_push' | 'actor_ended'

/** A header's values, in the order in which they came. */
export type HeaderValues = Readonly<Record<string, string | readonly string[]>>

/** What was sent, and what came back. */
export interface AttemptReport {
  readonly kind: 'event' | 'probe' | 'test'
  readonly state: 'delivered' | 'failed'
  /** Null where no answer came. */
  readonly status: number | null
  /** A word of why it failed; null if it did not. */
  readonly error: string | null
  readonly durationMs: number
  /** Values of an endpoint's own headers are left out. */
  readonly request: { readonly url: string; readonly headers: HeaderValues }
  /** `body` is its beginning, and `cut` says whether there was more. Null where no answer came. */
  readonly response: {
    readonly headers: HeaderValues
    readonly body: string
    readonly cut: boolean
  } | null
  /** Seconds until the next attempt; null if there is none. */
  readonly retryInSeconds: number | null
}

export interface Attempt extends AttemptReport {
  readonly id: number
  /** When it was begun (UTC). */
  readonly at: string
  /** Of an event; null of a test. */
  readonly topic: TopicName | null
  readonly epoch: number | null
  readonly seq: number | null
  /** 1 for the first one. */
  readonly attempt: number
}

/** What came of an event that a dispatcher was given, or of those that went in one request. */
export interface PushOutcome {
  /** Of the event, or of a grant: then it is about all of it. */
  readonly token: string
  readonly do: 'ack' | 'nak' | 'term' | 'release'
  /** The others that went with it: the same came of them. */
  readonly also?: readonly (Pick<PushedPlace, 'topicId' | 'epoch' | 'seq'> & { readonly token: string })[]
  /** With `nak`: seconds before the next attempt. */
  readonly delaySeconds?: number | undefined
  /** With `nak` and `term`: why, for the dead letter. */
  readonly reason?: string | undefined
  /** What was sent; none if nothing was. */
  readonly report?:
    | (AttemptReport & PushedPlace & { readonly retryAfterSeconds?: number | undefined })
    | undefined
}

export interface PushedPlace {
  readonly topicId: number
  readonly epoch: number
  readonly seq: number
  readonly attempt: number
  /** Milliseconds since it was begun, by the dispatcher's own clock: PostgreSQL knows the time. */
  readonly ageMs: number
}

export type PushedEvent = PulledEvent & { readonly event: StoredEvent }

/** When an endpoint counts as degraded or disabled. */
export interface JudgeOptions {
  /** Failures in a row. */
  readonly degradeAfter: number
  /** Of nothing but failures, of which two lie so far apart. */
  readonly disableAfterSeconds: number
  readonly disableSpanSeconds: number
  readonly probeSeconds: number
  /** Seconds that an endpoint is left alone, at most, unless it wants more. */
  readonly holdSecondsMax: number
}

export interface PushTurnRequest {
  readonly name: string
  readonly outcomes: readonly PushOutcome[]
  /** Requests with events that go out for the first time, with an event that goes out again, and both, at most. */
  readonly firstMax: number
  readonly againMax: number
  readonly max: number
  readonly bytesMax: number
  /** Bytes of a body with several events, at most. */
  readonly arrayBytesMax: number
  readonly worker: string
  /** What the dispatcher knows of the subscription: if that is old, it gets nothing to send. Without it all is known. */
  readonly target?: { readonly id: number; readonly version: string }
  /** 16 random bytes, of this turn alone. Whoever does not know what came of it can release by them what it has handed out. */
  readonly grant: Buffer
  readonly judge: JudgeOptions
}

/**
 * `given`: what there is and may go out. `held`: the endpoint is left alone for a while. `disabled`, `paused`: until somebody
 * resumes it, or a probe gets through. `unknown`: there is no such subscription.
 */
export type PushState = 'given' | 'held' | 'disabled' | 'paused' | 'unknown'

export interface PushTurn {
  readonly state: PushState
  readonly endpoint: Endpoint['state'] | null
  readonly items: readonly PushedEvent[]
  /** The same by the requests in which they go: first those that go again, alone, then arrays of what is new. */
  readonly requests: readonly (readonly PushedEvent[])[]
  /** Whether these are to find out whether the endpoint is back: a failure is no attempt. */
  readonly isProbe: boolean
  /** Whether there may be more, of either kind, that did not fit into this. Where nothing was wanted, nobody has looked. */
  readonly moreFirst: boolean
  readonly moreAgain: boolean
  /** Whether some wait for others to be settled: of their source or topic, or because so many are outstanding. */
  readonly heldBack: boolean
  /** When the next retry, expiry of a lease, end of a hold or probe is due, in milliseconds from the answer on; null: none. */
  readonly nextDueInMs: number | null
}
