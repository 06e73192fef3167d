/** Schemas that have a name in the description: each is written once, and referred to. */
import { Attempt } from '../schemas/attempt.ts'
import { Batch, Event, StoredEvent } from '../schemas/event.ts'
import { Stats } from '../schemas/figures.ts'
import { Diagnosis, Readiness } from '../schemas/health.ts'
import { AuditEntry, Key, KeyWithText, NewKey, Rotation } from '../schemas/key.ts'
import {
  Discard,
  Letter,
  LetterWithContent,
  Operation,
  PublishAs,
  Redrive,
  RedriveCount,
} from '../schemas/letter.ts'
import { Problem } from '../schemas/problem.ts'
import { ProjectionKey, ProjectionStates, ProjectionStatus } from '../schemas/projection.ts'
import { RotatedSecret } from '../schemas/push.ts'
import { BatchQueued, BatchReceipts, EventQueued, EventStored, LinesQueued } from '../schemas/receipt.ts'
import { Session } from '../schemas/session.ts'
import { MadeSubscription, NewSubscription, Seek, Sought, Subscription } from '../schemas/subscription.ts'
import { Pull, Pulled, Settle, Settled } from '../schemas/work.ts'

/** What comes in. */
export const ofRequests = {
  Event,
  Batch,
  NewKey,
  Rotation,
  Redrive,
  Discard,
  PublishAs,
  NewSubscription,
  Pull,
  Settle,
  Seek,
}

/** What goes out. */
export const ofAnswers = {
  StoredEvent,
  EventQueued,
  EventStored,
  BatchQueued,
  BatchReceipts,
  LinesQueued,
  ProjectionStatus,
  ProjectionStates,
  ProjectionKey,
  Stats,
  Key,
  KeyWithText,
  AuditEntry,
  Letter,
  LetterWithContent,
  RedriveCount,
  Operation,
  Subscription,
  MadeSubscription,
  RotatedSecret,
  Attempt,
  Pulled,
  Settled,
  Sought,
  Session,
  Readiness,
  Diagnosis,
  Problem,
}
