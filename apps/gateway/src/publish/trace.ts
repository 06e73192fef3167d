import type { IncomingMessage } from 'node:http'
import type { Event, TopicName } from '@sekali/core/event'
import type { Tracing } from '@sekali/process/tracing'
import { requestIdOf } from '../http/request-id.ts'

/** The trace of a request that is sampled. */
export interface RequestTrace {
  /** To be stored with its events. */
  readonly traceparent: string
  /** These are about to be queued. */
  note(events: readonly Event[]): void
  /** It has been answered. */
  end(status: number): void
}

/** Undefined if the request is not sampled, or nobody traces. */
export function traceOf(tracing: Tracing | undefined, request: IncomingMessage): RequestTrace | undefined {
  const given = request.headers.traceparent
  const span = tracing?.beginPublish(typeof given === 'string' ? given : undefined)
  if (span === undefined) return undefined
  const topics = new Set<TopicName>()
  let count = 0
  return {
    traceparent: span.traceparent,
    note: (events) => {
      count += events.length
      for (const { topic } of events) topics.add(topic)
    },
    end: (status) => {
      const [topic] = topics
      const requestId = requestIdOf(request)
      span.end({ topic: topics.size === 1 ? topic : undefined, events: count, requestId, status })
    },
  }
}
