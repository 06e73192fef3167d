import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { refusalOfQuota } from '../access/quota.ts'
import type { Client } from '../clients/clients.ts'
import { cloudEventHint } from '../http/cloud-events.ts'
import { isPlain, mediaType } from '../http/media.ts'
import { applied, readPreferences } from '../http/prefer.ts'
import { refusal, refusalOf } from '../http/problem.ts'
import { type Answer, answer, sendEarly } from '../http/reply.ts'
import { unsupportedMediaType } from '../http/unsupported-media.ts'
import { publishAndWait } from './and-wait.ts'
import type { PublishDeps } from './deps.ts'
import { refusalOfNone, siftedFields } from './lenient.ts'
import { publishLines } from './lines.ts'
import { readAllowed } from './read-allowed.ts'
import type { BodyEvents } from './read-events.ts'
import { type RequestTrace, traceOf } from './trace.ts'

export type Publish = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * POST /publish: one event, an array of events, or a stream of lines. 200 means that Redis has them all; no answer
 * means that nobody knows, so publish again. It never rejects. One event or an array may come with `Prefer: wait=N`:
 * see and-wait.ts.
 *
 * It serves node:http itself. As a handler of Hono's, with a `Request`, a `Response` and their streams for every event,
 * it took half as much processor time again.
 */
export function createPublish(deps: PublishDeps): Publish {
  return async (request, response) => {
    const trace = traceOf(deps.tracing, request)
    const answered = await publish(deps, request, trace)
      .then((answer) => deps.responses.count(request, response, answer))
      .catch((error) => {
        const hint = cloudEventHint(request.headers)
        const extras = { request, ...(hint && { hint }) }
        return refusalOfQuota(error) ?? refusalOf(error, deps.log, deps.random, extras)
      })
    trace?.end(answered.status)
    sendEarly(response, answered)
  }
}

async function publish(
  deps: PublishDeps,
  request: IncomingMessage,
  trace: RequestTrace | undefined,
): Promise<Answer> {
  const { headers } = request
  // A compressed body could be a thousand times larger than what was measured.
  if (!isPlain(headers['content-encoding'])) {
    return refusal('unsupported_encoding', { headers: { 'Accept-Encoding': 'identity' } })
  }
  switch (mediaType(headers['content-type'])) {
    case 'application/json':
      return await publishJson(deps, request, trace)
    case 'application/x-ndjson':
      return await publishLines(deps, request, trace)
    default:
      return unsupportedMediaType(headers)
  }
}

async function publishJson(
  deps: PublishDeps,
  request: IncomingMessage,
  trace: RequestTrace | undefined,
): Promise<Answer> {
  const { headers } = request
  const { waitSeconds, isLenient } = readPreferences(headers.prefer)
  if (waitSeconds !== undefined) return await publishAndWait(deps, request, { waitSeconds, isLenient, trace })
  const client = deps.clients.of(request)
  using share = deps.budget.share(client)
  const allowed = await readAllowed(deps, request, share, isLenient)
  if ('status' in allowed) return allowed
  const { read, since } = allowed
  deps.pressure.admit(read.events)
  const admitted = deps.newTopics.admit(client, read.events)
  if (admitted !== undefined) await admitted
  trace?.note(read.events)
  if (read.isBatch) return await appendBatch(deps, client, read, { headers, since, trace })
  const [event] = read.events
  if (trace === undefined) await deps.appender.append(event)
  else {
    const { failure } = await deps.portions.appendAll(client, read.events, trace.traceparent)
    if (failure !== undefined) throw failure
  }
  deps.onAccepted(1)
  deps.onPublished('event', (performance.now() - since) / 1_000)
  return answer(200, `{"status":"queued","event_id":${JSON.stringify(event.eventId)}}`)
}

interface BatchRequest {
  readonly headers: IncomingHttpHeaders
  /** When its body had come, in milliseconds of `performance.now()`. */
  readonly since: number
  readonly trace: RequestTrace | undefined
}

async function appendBatch(
  { portions, onAccepted, onPublished, random }: PublishDeps,
  client: Client,
  { events, sifted }: Extract<BodyEvents, { isBatch: true }>,
  { headers, since, trace }: BatchRequest,
): Promise<Answer> {
  const refused = refusalOfNone(sifted, headers)
  if (refused !== undefined) return refused
  const { queued, failure } = await portions.appendAll(client, events, trace?.traceparent)
  onAccepted(queued)
  if (failure !== undefined) return refusal(failure.code, { queued, random })
  onPublished('batch', (performance.now() - since) / 1_000)
  if (sifted === undefined) return answer(200, `{"status":"queued","queued":${queued}}`)
  const body = JSON.stringify({ status: 'queued', queued, ...siftedFields(sifted) })
  return answer(200, body, { 'Content-Type': 'application/json', ...applied({ isLenient: true }) })
}
