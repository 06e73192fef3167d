// The package '@sekali/client', inside the clone and from npm.
export { InvalidConfig, type Issue, LogRestored, type Restored, SekaliError } from '@sekali/core/errors'
export type { Figures } from '@sekali/core/figures'
export type {
  AnyPayload,
  AsOf,
  BatchReceipt,
  ConsumerFigures,
  EventsFilter,
  EventsQuery,
  EventToPublish,
  FoldedProjection,
  NotLoadedFile,
  Projection,
  ProjectionError,
  ProjectionInfo,
  ProjectionKey,
  Published,
  PublishedBatch,
  Receipt,
  SkippedEvents,
  Stats,
  StoredEvent,
  TailedEvent,
  TailQuery,
  TopicFigures,
} from './answers.ts'
export { type Client, createClient, type ReadyOptions } from './client.ts'
export type { ConnectionOptions } from './connection/connection.ts'
export type { HeaderOptions, Token } from './connection/headers.ts'
export type { Fetch, FetchAnswer, FetchInit } from './connection/request.ts'
export type { CallOptions, Retry, RetryLimits } from './connection/retry.ts'
export type { Failure } from './errors.ts'
export {
  BrokenOff,
  Closed,
  Conflict,
  DeadEvent,
  Invalid,
  Miscounted,
  NoToken,
  NotReady,
  QueueFull,
  Refused,
  TimedOut,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
} from './errors.ts'
export type { Batcher, BatcherOptions } from './publish/batcher.ts'
export type { Publishable } from './publish/event-text.ts'
export type { PublishBatchOptions, PublishOptions } from './publish/publish.ts'
export type { PublishAllCounts, PublishAllOptions } from './publish/publish-all.ts'
export type { AsOfOptions, KeysQuery } from './read/projections.ts'
export type { StatsOptions } from './read/stats.ts'
export type { TailedText } from './read/tail.ts'
