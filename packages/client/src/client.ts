import type {
  AnyPayload,
  EventsQuery,
  Projection,
  ProjectionInfo,
  ProjectionKey,
  Published,
  PublishedBatch,
  Receipt,
  Stats,
  StoredEvent,
  TailedEvent,
  TailQuery,
} from './answers.ts'
import { checkedCall, requireMs } from './arguments.ts'
import { type Connection, type ConnectionOptions, call, connectionTo } from './connection/connection.ts'
import { type CallOptions, isRetryable } from './connection/retry.ts'
import { dropProjection, dropTopic } from './drop.ts'
import { NotReady } from './errors.ts'
import { type Batcher, type BatcherOptions, createBatcher } from './publish/batcher.ts'
import type { Publishable } from './publish/event-text.ts'
import { type PublishBatchOptions, type PublishOptions, publish, publishBatch } from './publish/publish.ts'
import { type PublishAllCounts, type PublishAllOptions, publishAll } from './publish/publish-all.ts'
import {
  type AsOfOptions,
  getProjection,
  getProjectionKey,
  type KeysQuery,
  listProjections,
  rebuildProjection,
} from './read/projections.ts'
import { events, read, replay, replayText } from './read/read.ts'
import { receipt } from './read/receipt.ts'
import { readStats, type StatsOptions } from './read/stats.ts'
import { type TailedText, tail, tailText } from './read/tail.ts'

export interface ReadyOptions extends CallOptions {
  readonly deadlineMs?: number
}

/**
 * Sekali over HTTP. A call is tried again while that makes sense. It rejects with a `SekaliError`, or, once its `signal` is
 * aborted, with the signal's reason.
 *
 * Answers go through JSON.parse, so a payload's numbers become doubles: an integer beyond 2^53 or a long decimal is
 * exact in the store and on the wire, not here. `replayText` and `tailText` leave the text as it came.
 */
export interface Client {
  /**
   * Resolves once the event is durably queued; with `waitSeconds`, if possible, once it is known what came of it:
   * then it may reject with Conflict or DeadEvent too. To try again is safe although a lost answer leaves it open
   * whether the event was taken: its id is what Sekali recognises a repeat by. So with `waitSeconds` a `duplicate`
   * may be a repeat of this very call.
   */
  publish(event: Publishable, options?: PublishOptions): Promise<Published>
  /**
   * One request: 1 to 5,000 events, 8 MiB. Rejects with Invalid, and nothing is queued, if one of them is not valid; with
   * `lenient` only if none is.
   */
  publishBatch(events: readonly Publishable[], options?: PublishBatchOptions): Promise<PublishedBatch>
  /** Any number of events, in batches, no faster than they are taken. Events that are not valid do not stop it. */
  publishAll(
    events: Iterable<Publishable> | AsyncIterable<Publishable>,
    options?: PublishAllOptions,
  ): Promise<PublishAllCounts>
  /** For events that come one by one: it makes batches of them by size and time. */
  batcher(options?: BatcherOptions): Batcher
  receipt<Payload extends object = AnyPayload>(
    topic: string,
    eventId: string,
    options?: CallOptions,
  ): Promise<Receipt<Payload>>
  /** One page: newest first, or ascending with `after`. */
  events<Payload extends object = AnyPayload>(
    query?: EventsQuery,
    options?: CallOptions,
  ): Promise<StoredEvent<Payload>[]>
  /** All that matches, page after page. */
  read<Payload extends object = AnyPayload>(
    query?: EventsQuery,
    options?: CallOptions,
  ): AsyncGenerator<StoredEvent<Payload>, void>
  /** All that matches, as one stream: the fastest way to read much. */
  replay<Payload extends object = AnyPayload>(
    query?: EventsQuery,
    options?: CallOptions,
  ): AsyncGenerator<StoredEvent<Payload>, void>
  /** The same, each event as the JSON text in which it came. */
  replayText(query?: EventsQuery, options?: CallOptions): AsyncGenerator<string, void>
  /**
   * What is stored from now on, until the loop over it ends, `signal` is aborted or the gateway refuses it. The first
   * connection is tried as often as every call (`retry.totalMs`), later ones for ever.
   */
  tail<Payload extends object = AnyPayload>(
    query: TailQuery,
    options?: CallOptions,
  ): AsyncGenerator<TailedEvent<Payload>, void>
  /** The same, each event as the JSON text in which it came, and the cursor behind it. */
  tailText(query: TailQuery, options?: CallOptions): AsyncGenerator<TailedText, void>
  projections(options?: AsOfOptions): Promise<ProjectionInfo[]>
  projection<State = unknown>(
    name: string,
    query?: KeysQuery,
    options?: AsOfOptions,
  ): Promise<Projection<State>>
  projectionKey<State = unknown>(
    name: string,
    key: string,
    options?: AsOfOptions,
  ): Promise<ProjectionKey<State>>
  rebuildProjection(name: string, options?: CallOptions): Promise<void>
  /** Only one that no projector folds any more. */
  dropProjection(name: string, options?: CallOptions): Promise<void>
  /** Only one that has no event. */
  dropTopic(topic: string, options?: CallOptions): Promise<void>
  /** Of all topics, however many pages that takes, or of those that `topic` names. */
  stats(options?: StatsOptions): Promise<Stats>
  /** Resolves once the gateway can take events; rejects with NotReady at the deadline. */
  waitUntilReady(options?: ReadyOptions): Promise<void>
}

/** Throws InvalidConfig for options that make no sense. Nothing is kept open, so nothing has to be closed. */
export function createClient(options: ConnectionOptions = {}): Client {
  const connection = connectionTo(options)
  return {
    publish: async (event, options) => publish(connection, event, checkedCall(options, 'waitSeconds')),
    publishBatch: async (events, options) =>
      publishBatch(connection, events, checkedCall(options, 'waitSeconds', 'lenient')),
    publishAll: async (events, options) =>
      publishAll(connection, events, checkedCall(options, ...ofBatcher, 'onRefused', 'onProgress')),
    batcher: (options) => createBatcher(connection, checkedCall(options, ...ofBatcher)),
    receipt: async (topic, eventId, options) => receipt(connection, topic, eventId, checkedCall(options)),
    events: async (query, options) => events(connection, query, checkedCall(options)),
    read: (query, options) => read(connection, query, checkedCall(options)),
    replay: (query, options) => replay(connection, query, checkedCall(options)),
    replayText: (query, options) => replayText(connection, query, checkedCall(options)),
    tail: (query, options) => tail(connection, query, checkedCall(options)),
    tailText: (query, options) => tailText(connection, query, checkedCall(options)),
    projections: async (options) => listProjections(connection, checkedCall(options, 'asOf')),
    projection: async (name, query, options) =>
      getProjection(connection, name, query, checkedCall(options, 'asOf')),
    projectionKey: async (name, key, options) =>
      getProjectionKey(connection, name, key, checkedCall(options, 'asOf')),
    dropProjection: async (name, options) => dropProjection(connection, name, checkedCall(options)),
    dropTopic: async (topic, options) => dropTopic(connection, topic, checkedCall(options)),
    rebuildProjection: async (name, options) => rebuildProjection(connection, name, checkedCall(options)),
    stats: async (options) => readStats(connection, checkedCall(options, 'topic')),
    waitUntilReady: async (options) => waitUntilReady(connection, checkedCall(options, 'deadlineMs')),
  }
}

const ofBatcher = ['eventsMax', 'bytesMax', 'delayMs', 'queueEventsMax', 'queueBytesMax'] as const

async function waitUntilReady(
  connection: Connection,
  { deadlineMs = 60_000, ...options }: ReadyOptions = {},
): Promise<void> {
  requireMs('deadlineMs', deadlineMs, Infinity)
  // Short waits: while a system starts, a second is long, and its 503s cost it nothing.
  const limits = { requestMs: 2_000, totalMs: deadlineMs, delayFirstMs: 50, delayMaxMs: 1_000 }
  try {
    await call(connection, '/readyz', { method: 'GET' }, options, limits)
  } catch (cause) {
    if (!isRetryable(cause)) throw cause
    const message = `${connection.base} was not ready within ${deadlineMs} ms: ${cause.message}`
    throw new NotReady(message, { cause })
  }
}
