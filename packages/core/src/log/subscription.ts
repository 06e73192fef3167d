/** What a subscription may be. What happens to events under one is the business of store/subscriptions. */

/** Every limit of subscriptions, in one place. What is over a limit is refused, never cut. */
export const subscriptionLimits = {
  subscriptionsMax: 1_000,
  leaseSecondsMin: 1,
  leaseSecondsMax: 3_600,
  /** Events that are outstanding at once: handed out and not settled, or waiting for their retry. */
  outstandingMax: 10_000,
  deliveriesMax: 1_000,
  /** Steps of the waits before retries, and seconds of one. */
  backoffStepsMax: 20,
  backoffSecondsMax: 86_400,
  /** Events of one source that may be outstanding at once, to one worker. */
  sourceBatchMax: 1_000,
  /** Of a filter: sources, pointers, and values of a pointer. */
  filterSourcesMax: 100,
  filterPointersMax: 10,
  filterValuesMax: 100,
  /** Characters (UTF-16 units) of a pointer, and of a value that is a string. */
  filterTextCharsMax: 256,
  /** Events of one pull, and bytes of their payloads. The first one comes whatever its size. */
  pullEventsMax: 1_000,
  pullBytesMax: 8 * 1024 * 1024,
  /** Tokens of one settle. */
  settleItemsMax: 1_000,
  tokenCharsMax: 128,
  /** Characters (UTF-16 units) of a worker's name, and of a reason. */
  workerCharsMax: 128,
  reasonCharsMax: 256,
} as const

/**
 * `none`: events go out as they come, to whoever asks. `source`: never two of one source at a time, each source's in the order
 * of their seqs, retries included. `topic`: one batch of a topic at a time.
 */
export const subscriptionOrders = ['none', 'source', 'topic'] as const
export type SubscriptionOrder = (typeof subscriptionOrders)[number]

/** What an event that was delivered as often as it may does to those behind it, in the order of a source or topic. */
export const onExhaustedChoices = ['skip', 'block'] as const
export type OnExhausted = (typeof onExhaustedChoices)[number]

/** What a worker does with an event that it has. */
export const settleActions = ['ack', 'nak', 'extend', 'term', 'release'] as const
export type SettleAction = (typeof settleActions)[number]

/**
 * `done`. `already_settled`: nothing was to do, because this or another token has done it. `lease_lost`: others were given the
 * event since, or a seek or a restore came between. `unknown`: no token of this subscription.
 */
export const settleResults = ['done', 'already_settled', 'lease_lost', 'unknown'] as const
export type SettleResult = (typeof settleResults)[number]

export type JsonScalar = string | number | boolean | null

/** Which events: all that is given must hold. */
export interface SubscriptionFilter {
  /** One of these. */
  readonly sources?: readonly string[] | undefined
  /**
   * What an RFC 6901 pointer into the payload leads to is one of these scalars: `{"/status": ["paid"]}`. Numbers are equal by
   * value. A pointer that leads nowhere, or to an array or object, fits nothing.
   */
  readonly payload?: Readonly<Record<string, readonly JsonScalar[]>> | undefined
}

export const pointerRule = 'must be a JSON pointer (RFC 6901) to a value in the payload, such as /status'

/** Whether a text is an RFC 6901 pointer to something inside a document. */
export const isPointer = (text: string): boolean => /^(?:\/(?:[^~/]|~[01])*)+$/.test(text)
