/**
 * Traces, for who names a collector (OTEL_EXPORTER_OTLP_ENDPOINT): the span in which a request is published, and that of
 * the turn which stores its events, with a link between them. A turn stores events of many requests, so it has no parent.
 *
 * Contexts are passed as `traceparent` texts: there is no context manager and no instrumentation of libraries, which would
 * cost every call what only a few need. Who is not sampled costs a look at a header. OpenTelemetry is loaded only where it
 * is wanted.
 */
export interface PublishSpan {
  /** Of this span, to be stored with the events (https://www.w3.org/TR/trace-context/). */
  readonly traceparent: string
  end(about: PublishTrace): void
}

export interface PublishTrace {
  /** The only one, if there is only one. */
  readonly topic?: string | undefined
  readonly events: number
  readonly requestId: string
  readonly status: number
}

export interface TurnTrace {
  readonly topic: string
  readonly events: number
  /** When the turn began, in milliseconds since 1970. */
  readonly startedAt: number
  /** Of the requests whose events it stored. Of more than 128 the span says how many it has left out. */
  readonly traceparents: readonly string[]
}

export interface Tracing extends AsyncDisposable {
  /** Begins the span of a request that publishes; undefined if it is not sampled. */
  beginPublish(traceparent: string | undefined): PublishSpan | undefined
  /** Notes a turn that has been committed. */
  recordTurn(turn: TurnTrace): void
}
