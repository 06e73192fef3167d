import type { AnyPayload } from '../answers.ts'
import { checkedCall } from '../arguments.ts'
import { type Connection, type ConnectionOptions, connectionTo } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'
import { dropSecret, listAttempts, retryDelivery, rotateSecret, testEndpoint } from './endpoints.ts'
import { beginEpochs, countForEpochs, type EpochsBegun, type EpochsCount } from './epochs.ts'
import type { Comparison, Letter, LettersQuery, LetterWithContent } from './letter.ts'
import {
  discardLetter,
  letterAnswer,
  listLetters,
  publishLetterAs,
  readLetter,
  requireConflict,
} from './letters.ts'
import {
  cancelOperation,
  countRedrive,
  type DeliveriesRedrive,
  listOperations,
  type Operation,
  type OperationsQuery,
  type RedriveCount,
  type RedriveFilter,
  type RedrivenDeliveries,
  type RedriveStart,
  readOperation,
  redriveDeliveries,
  startRedrive,
  type WaitOptions,
  waitForOperation,
} from './operations.ts'
import type {
  Attempt,
  AttemptsQuery,
  NewSubscription,
  RotatedSecret,
  Sought,
  Subscription,
  SubscriptionsQuery,
} from './subscription.ts'
import {
  dropSubscription,
  listSubscriptions,
  putSubscription,
  readSubscription,
  seekSubscription,
  setSubscriptionState,
} from './subscriptions.ts'
import {
  type NewTopicSettings,
  readTopicSettings,
  setTopicSettings,
  type TopicSettings,
} from './topic-settings.ts'

/**
 * What operators do about what could not be stored or worked off, about topics and subscriptions, and after a restore. It
 * takes a key with the scope admin. Calls are tried again and reject as those of a `Client` do.
 *
 * Answers go through JSON.parse, which rounds integers beyond 2^53 and long decimals; `letterText` leaves the text as it came.
 */
export interface Operator {
  /** Dead letters and conflicts without their contents, newest first; open ones unless `state` says otherwise. */
  letters(query?: LettersQuery, options?: CallOptions): AsyncGenerator<Letter, void>
  letter<Payload extends object = AnyPayload>(
    id: string,
    options?: CallOptions,
  ): Promise<LetterWithContent<Payload>>
  /** The same as JSON text. */
  letterText(id: string, options?: CallOptions): Promise<string>
  /** A conflict and the event that has its id. Rejects with InvalidConfig for an entry. */
  compare<Payload extends object = AnyPayload>(
    id: string,
    options?: CallOptions,
  ): Promise<Comparison<Payload>>
  /** How many open entries a redrive would be about. Changes nothing. */
  countRedrive(filter?: RedriveFilter, options?: CallOptions): Promise<RedriveCount>
  /**
   * Begins to append entries once more, and resolves with the operation that does it. Rejects with Refused `count_changed` if
   * not as many match as are expected. It is not tried again: if no answer comes, `operations` says whether it has begun.
   */
  redrive(start: RedriveStart, options?: CallOptions): Promise<Operation>
  /** Has workers get the dead deliveries of a subscription again: counted by `countRedrive`, done at once, not tried again. */
  redriveDeliveries(start: DeliveriesRedrive, options?: CallOptions): Promise<RedrivenDeliveries>
  /** Marks a letter as done with; `reason` is for the audit log. */
  discard(id: string, reason: string, options?: CallOptions): Promise<Letter>
  /** Publishes the content of a conflict under another event id. */
  publishAs(id: string, eventId: string, options?: CallOptions): Promise<Letter>
  operations(query?: OperationsQuery, options?: CallOptions): AsyncGenerator<Operation, void>
  operation(id: number, options?: CallOptions): Promise<Operation>
  /** Ends an operation where it is; safe twice. What is done stays done. */
  cancel(id: number, options?: CallOptions): Promise<Operation>
  /** Resolves once an operation has ended, well or not: its `state` says how. */
  waitFor(id: number, options?: WaitOptions): Promise<Operation>
  subscriptions(query?: SubscriptionsQuery, options?: CallOptions): AsyncGenerator<Subscription, void>
  subscription(name: string, options?: CallOptions): Promise<Subscription>
  /** Makes a subscription, or changes what of it may change. Rejects with Refused `immutable_field` for what stays. */
  putSubscription(name: string, subscription: NewSubscription, options?: CallOptions): Promise<Subscription>
  /** Nothing more is handed out; what workers have they can settle. */
  pauseSubscription(name: string, options?: CallOptions): Promise<Subscription>
  resumeSubscription(name: string, options?: CallOptions): Promise<Subscription>
  /** Has a subscription begin anew at another place; with `dryRun` it says what that would do. */
  seekSubscription(
    name: string,
    where: { readonly from: string; readonly dryRun?: boolean },
    options?: CallOptions,
  ): Promise<Sought>
  /** With its dead letters. The events stay. */
  dropSubscription(name: string, options?: CallOptions): Promise<void>
  /** Of an endpoint: what was sent and what came back, newest first. */
  attempts(name: string, query?: AttemptsQuery, options?: CallOptions): AsyncGenerator<Attempt, void>
  /** Has a sample sent to the endpoint, and resolves with what came back. Not tried again. */
  testEndpoint(name: string, options?: CallOptions): Promise<Attempt>
  /** Has one event sent to the endpoint again. */
  retryDelivery(name: string, topic: string, seq: number, options?: CallOptions): Promise<void>
  /** Makes another secret, which this answer alone has; the others sign for 24 hours more. Not tried again. */
  rotateSecret(name: string, options?: CallOptions): Promise<RotatedSecret>
  dropSecret(name: string, id: number, options?: CallOptions): Promise<void>
  /** What holds for a topic; for one that there is not yet, what would. */
  topicSettings(topic: string, options?: CallOptions): Promise<TopicSettings>
  /** Says what holds for a topic from its next turn on, and makes the topic if there is none. */
  setTopicSettings(topic: string, settings: NewTopicSettings, options?: CallOptions): Promise<TopicSettings>
  /** What `beginEpochs` would be about. Changes nothing. */
  countForEpochs(options?: CallOptions): Promise<EpochsCount>
  /**
   * Begins another epoch of all logs, for when PostgreSQL was put back to an earlier state (at `restoredAt`, UTC; now if it is
   * not said) and Redis has lost its data, too. Safe twice.
   */
  beginEpochs(restoredAt?: string, options?: CallOptions): Promise<EpochsBegun>
}

/** Throws InvalidConfig for options that make no sense. Nothing is kept open, so nothing has to be closed. */
export function createOperator(options: ConnectionOptions = {}): Operator {
  const connection = connectionTo(options)
  return {
    letters: (query, options) => listLetters(connection, query, checkedCall(options)),
    letter: async (id, options) => readLetter(connection, id, checkedCall(options)),
    letterText: async (id, options) => (await letterAnswer(connection, id, checkedCall(options))).text,
    compare: async <Payload extends object>(id: string, options?: CallOptions) => {
      requireConflict(id)
      const letter = await readLetter<Payload>(connection, id, checkedCall(options))
      const { received, stored, differs, same_json } = letter
      return { received, stored, differs, same_json }
    },
    countRedrive: async (filter, options) => countRedrive(connection, filter, checkedCall(options)),
    redrive: async (start, options) => startRedrive(connection, start, checkedCall(options)),
    discard: async (id, reason, options) => discardLetter(connection, id, reason, checkedCall(options)),
    publishAs: async (id, eventId, options) => publishLetterAs(connection, id, eventId, checkedCall(options)),
    operations: (query, options) => listOperations(connection, query, checkedCall(options)),
    operation: async (id, options) => readOperation(connection, id, checkedCall(options)),
    cancel: async (id, options) => cancelOperation(connection, id, checkedCall(options)),
    waitFor: async (id, options) =>
      waitForOperation(connection, id, checkedCall(options, 'onProgress', 'everyMs')),
    redriveDeliveries: async (start, options) => redriveDeliveries(connection, start, checkedCall(options)),
    ...subscriptionsOf(connection),
    topicSettings: async (topic, options) => readTopicSettings(connection, topic, checkedCall(options)),
    setTopicSettings: async (topic, settings, options) =>
      setTopicSettings(connection, topic, settings, checkedCall(options)),
    countForEpochs: async (options) => countForEpochs(connection, checkedCall(options)),
    beginEpochs: async (restoredAt, options) => beginEpochs(connection, restoredAt, checkedCall(options)),
  }
}

type Subscriptions = Pick<
  Operator,
  | 'subscriptions'
  | 'subscription'
  | 'putSubscription'
  | 'pauseSubscription'
  | 'resumeSubscription'
  | 'seekSubscription'
  | 'dropSubscription'
  | 'attempts'
  | 'testEndpoint'
  | 'retryDelivery'
  | 'rotateSecret'
  | 'dropSecret'
>

function subscriptionsOf(connection: Connection): Subscriptions {
  return {
    subscriptions: (query, options) => listSubscriptions(connection, query, checkedCall(options)),
    subscription: async (name, options) => readSubscription(connection, name, checkedCall(options)),
    putSubscription: async (name, subscription, options) =>
      putSubscription(connection, name, subscription, checkedCall(options)),
    pauseSubscription: async (name, options) =>
      setSubscriptionState(connection, name, 'pause', checkedCall(options)),
    resumeSubscription: async (name, options) =>
      setSubscriptionState(connection, name, 'resume', checkedCall(options)),
    seekSubscription: async (name, where, options) =>
      seekSubscription(connection, name, where, checkedCall(options)),
    dropSubscription: async (name, options) => dropSubscription(connection, name, checkedCall(options)),
    attempts: (name, query, options) => listAttempts(connection, name, query, checkedCall(options)),
    testEndpoint: async (name, options) => testEndpoint(connection, name, checkedCall(options)),
    retryDelivery: async (name, topic, seq, options) =>
      retryDelivery(connection, name, topic, seq, checkedCall(options)),
    rotateSecret: async (name, options) => rotateSecret(connection, name, checkedCall(options)),
    dropSecret: async (name, id, options) => dropSecret(connection, name, id, checkedCall(options)),
  }
}
