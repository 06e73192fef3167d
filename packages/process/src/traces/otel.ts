/**
 * The same in OpenTelemetry's words. Names and attributes are those of its conventions for messaging 1.44, which are
 * still in development: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
import {
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { withDeadline } from '@sekali/core/deadline'
import manifest from '../../package.json' with { type: 'json' }
import { formatTraceparent, parseTraceparent } from './traceparent.ts'
import type { PublishTrace, Tracing, TurnTrace } from './tracing.ts'

/** Spans are sent together, this often. */
const exportEveryMs = 1_000
/** How long a process that leaves waits for a collector. */
const leaveMs = 2_000
const linksMax = 128

export function createTracing(
  app: string,
  { endpoint, ratio }: { readonly endpoint: string; readonly ratio: number },
): Tracing {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: leaveMs })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `sekali-${app}`,
      'service.version': manifest.version,
      'service.instance.id': process.env.CONSUMER_NAME ?? String(process.pid),
    }),
    // What is not sampled does not get here.
    sampler: new AlwaysOnSampler(),
    spanLimits: { linkCountLimit: linksMax },
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: exportEveryMs })],
  })
  const tracer = provider.getTracer('sekali', manifest.version)

  function recordTurn({ topic, events, startedAt, traceparents }: TurnTrace): void {
    const links = traceparents.flatMap((text) => {
      const context = spanContextOf(text)
      return context === undefined ? [] : [{ context }]
    })
    const attributes = {
      ...attributesOf('process', topic),
      'messaging.batch.message_count': events,
    }
    const options = { kind: SpanKind.CONSUMER, startTime: startedAt, links, attributes }
    tracer.startSpan(`process ${topic}`, options, ROOT_CONTEXT).end()
  }

  return {
    beginPublish(traceparent) {
      const parent = parseTraceparent(traceparent)
      if (parent === undefined ? Math.random() >= ratio : !parent.isSampled) return undefined
      const span = tracer.startSpan('publish', { kind: SpanKind.PRODUCER }, contextOf(traceparent))
      return {
        traceparent: formatTraceparent(span.spanContext()),
        end: ({ topic, events, requestId, status }: PublishTrace) => {
          if (topic !== undefined) span.updateName(`publish ${topic}`)
          span.setAttributes({
            ...attributesOf('send', topic),
            'messaging.batch.message_count': events,
            'http.response.status_code': status,
            'sekali.request_id': requestId,
          })
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    },
    recordTurn,
    // A collector that is away keeps nobody from leaving.
    [Symbol.asyncDispose]: () =>
      withDeadline(
        provider.shutdown().catch(() => undefined),
        leaveMs,
        () => undefined,
      ),
  }
}

const attributesOf = (type: 'send' | 'process', topic: string | undefined) => ({
  'messaging.system': 'sekali',
  'messaging.operation.type': type,
  'messaging.operation.name': type === 'send' ? 'publish' : 'process',
  ...(topic === undefined ? {} : { 'messaging.destination.name': topic }),
})

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent)
  if (parsed === undefined) return undefined
  return {
    traceId: parsed.traceId,
    spanId: parsed.spanId,
    traceFlags: Number(parsed.isSampled),
    isRemote: true,
  }
}

function contextOf(traceparent: string | undefined): Context {
  const parent = spanContextOf(traceparent)
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
}
