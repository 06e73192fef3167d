import type {
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
import { type ConnectionOptions, call, connectionTo } from './connection/connection.ts'
import { type CallOptions, isRetryable } from './connection/retry.ts'
import { dropProjection, dropTopic } from './drop.ts'
import { NotReady } from './errors.ts'
import { type Batcher, type BatcherOptions, createBatcher } from './publish/batcher.ts'
import {
  type Publishable,
  type PublishBatchOptions,
  type PublishOptions,
  publish,
  publishBatch,
} from './publish/publish.ts'
import { type PublishAllCounts, type PublishAllOptions, publishAll } from './publish/publish-all.ts'
import {
  type AsOfOptions,
  getProjection,
  getProjectionKey,
  type KeysQuery,
  listProjections,
  rebuildProjection,
} from './read/projections.ts'
import { events, read, replay } from './read/read.ts'
import { receipt } from './read/receipt.ts'
import { readStats, type StatsOptions } from './read/stats.ts'
import { tail } from './read/tail.ts'

export interface ReadyOptions extends CallOptions {
  readonly deadlineMs?: number
}

/**
 * Sekali over HTTP. A call is tried again while that makes sense, and rejects with one of `errors.ts`.
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
  receipt(topic: string, eventId: string, options?: CallOptions): Promise<Receipt>
  /** One page: newest first, or ascending with `after`. */
  events(query?: EventsQuery, options?: CallOptions): Promise<StoredEvent[]>
  /** All that matches, page after page. */
  read(query: EventsQuery, options?: CallOptions): AsyncGenerator<StoredEvent, void>
  /** All that matches, as one stream: the fastest way to read much. */
  replay(query: EventsQuery, options?: CallOptions): AsyncGenerator<StoredEvent, void>
  /** What is stored from now on, until the loop over it ends or `signal` is aborted; it reconnects by itself. */
  tail(query: TailQuery, options?: CallOptions): AsyncGenerator<TailedEvent, void>
  projections(options?: AsOfOptions): Promise<ProjectionInfo[]>
  projection(name: string, query?: KeysQuery, options?: AsOfOptions): Promise<Projection>
  projectionKey(name: string, key: string, options?: AsOfOptions): Promise<ProjectionKey>
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

/** Throws InvalidConfig for a base URL that is none. */
export function createClient(options: ConnectionOptions): Client {
  const connection = connectionTo(options)
  return {
    publish: (event, options) => publish(connection, event, options),
    publishBatch: (events, options) => publishBatch(connection, events, options),
    publishAll: (events, options) => publishAll(connection, events, options),
    batcher: (options) => createBatcher(connection, options),
    receipt: (topic, eventId, options) => receipt(connection, topic, eventId, options),
    events: (query, options) => events(connection, query, options),
    read: (query, options) => read(connection, query, options),
    replay: (query, options) => replay(connection, query, options),
    tail: (query, options) => tail(connection, query, options),
    projections: (options) => listProjections(connection, options),
    projection: (name, query, options) => getProjection(connection, name, query, options),
    projectionKey: (name, key, options) => getProjectionKey(connection, name, key, options),
    dropProjection: (name, options) => dropProjection(connection, name, options),
    dropTopic: (topic, options) => dropTopic(connection, topic, options),
    rebuildProjection: (name, options) => rebuildProjection(connection, name, options),

    stats: (options) => readStats(connection, options),

    async waitUntilReady({ deadlineMs = 60_000, ...options } = {}) {
      // Short waits: while a system starts, a second is long, and its 503s cost it nothing.
      const limits = { requestMs: 2_000, totalMs: deadlineMs, delayFirstMs: 50, delayMaxMs: 1_000 }
      try {
        await call(connection, '/readyz', { method: 'GET' }, options, limits)
      } catch (cause) {
        if (!isRetryable(cause)) throw cause
        const message = `${connection.base} was not ready within ${deadlineMs} ms: ${cause.message}`
        throw new NotReady(message, { cause })
      }
    },
  }
}
