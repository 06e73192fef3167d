// The door '@sekali/client/operate', inside the clone and from npm: for operators, so that a page that publishes and reads
// does not load it.
export type { EpochsBegun, EpochsCount } from './operate/epochs.ts'
export type {
  Comparison,
  Letter,
  LetterContent,
  LetterFilter,
  LetterKind,
  LettersQuery,
  LetterWithContent,
  Settled,
} from './operate/letter.ts'
export type {
  DeliveriesRedrive,
  Operation,
  OperationsQuery,
  RedriveCount,
  RedriveFilter,
  RedrivenDeliveries,
  RedriveStart,
  WaitOptions,
} from './operate/operations.ts'
export { createOperator, type Operator } from './operate/operator.ts'
export type {
  Attempt,
  AttemptsQuery,
  Blocker,
  HeaderValues,
  NewPullSubscription,
  NewPushSubscription,
  NewSubscription,
  PullSubscription,
  PushBody,
  PushOnExhausted,
  PushSubscription,
  RotatedSecret,
  SecretInfo,
  Sought,
  Subscription,
  SubscriptionsQuery,
} from './operate/subscription.ts'
export type { NewTopicSettings, TopicSettings } from './operate/topic-settings.ts'
