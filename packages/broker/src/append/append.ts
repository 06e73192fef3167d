/**
 * Appends events to their topics' streams.
 *
 * Concurrent appends are coalesced: all that arrive in one pass of the event loop go to Redis in one pipeline, one
 * script call a topic (queues.ts), and so share one fsync (`appendfsync always` syncs once per pass of Redis's loop, before it
 * answers: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/).
 */
import { chunksOf } from '@sekali/core/chunks'
import type { BrokerUnavailable } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import { advance, type Position } from '@sekali/core/position'
import { createAcknowledged } from '../loss/acknowledged.ts'
import type { Broker } from '../redis/connect.ts'
import type { OnTaken } from './calls.ts'
import { createQueues, eventsPerCallMax, type Waiting } from './queues.ts'
import { createRegistry } from './registry.ts'

export type { OnTaken }

export interface Appended {
  /** How many of the events Redis has for certain. */
  readonly queued: number
  /** Why the others failed: they may or may not be in their streams, and publishing all again is safe. */
  readonly failure: BrokerUnavailable | undefined
}

export interface AppendedAt extends Appended {
  /** Where each of the events is in its topic's stream; undefined for those that failed. */
  readonly positions: readonly (Position | undefined)[]
}

export interface Appender {
  /**
   * Resolves once Redis has the event, durably if Redis is set up so (see operate/health.ts).
   * Rejects with {@link BrokerUnavailable}: then the event may or may not be in the stream, and publishing it
   * again is safe. Two appends of one topic keep the order in which they were called.
   */
  append(event: Event): Promise<void>
  /**
   * Appends many. Within a topic they keep their order, and none is appended after one that failed. `traceparent` is that of
   * the request that brings them, if it is traced.
   */
  appendAll(events: readonly Event[], traceparent?: string): Promise<Appended>
  /** The same, and resolves with their positions too. */
  appendWithPositions(events: readonly Event[], traceparent?: string): Promise<AppendedAt>
}

/**
 * `onAppended` gets the topics that have new entries; it rings the doorbell. `onTaken` gets how much they are, for who bounds
 * what is in flight.
 */
export function createAppender(
  broker: Broker,
  onAppended: (topic: TopicName) => void,
  onTaken: OnTaken = () => undefined,
): Appender {
  const acknowledged = createAcknowledged()
  const registry = createRegistry(broker, acknowledged, onAppended)
  const enqueue = createQueues({ broker, acknowledged, registry, onTaken }, onAppended)

  async function appendMany(
    events: readonly Event[],
    traceparent: string | undefined,
    withPositions: boolean,
  ): Promise<AppendedAt> {
    let queued = 0
    let failure: BrokerUnavailable | undefined
    const positions: (Position | undefined)[] = []
    const indexes = withPositions ? new Map(events.map((event, index) => [event, index])) : undefined
    const appendChunk = (topic: TopicName, chunk: readonly Event[], resolve: () => void) => {
      const settle: Waiting['settle'] = (settled, before) => {
        if (typeof settled === 'string') {
          queued += chunk.length
          if (indexes) {
            for (const [index, event] of chunk.entries()) {
              positions[indexes.get(event) as number] = advance(settled, before + index)
            }
          }
        } else failure = settled
        resolve()
      }
      enqueue(topic, { events: chunk, traceparent, settle })
    }
    const groups = Map.groupBy(events, ({ topic }) => topic)
    const answers = [...groups].flatMap(([topic, all]) =>
      chunksOf(all, eventsPerCallMax).map(
        (chunk) => new Promise<void>((resolve) => appendChunk(topic, chunk, resolve)),
      ),
    )
    await Promise.all(answers)
    return { queued, failure, positions }
  }

  return {
    append: (event) =>
      new Promise((resolve, reject) => {
        const settle: Waiting['settle'] = (settled) =>
          typeof settled === 'string' ? resolve() : reject(settled)
        enqueue(event.topic, { events: [event], traceparent: undefined, settle })
      }),
    appendAll: async (events, traceparent) => {
      const { queued, failure } = await appendMany(events, traceparent, false)
      return { queued, failure }
    },
    appendWithPositions: (events, traceparent) => appendMany(events, traceparent, true),
  }
}
