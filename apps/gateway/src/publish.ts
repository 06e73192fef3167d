import type { Appender } from '@sekali/broker/append'
import { parseEvent, parseEvents } from '@sekali/core/event'
import type { Context } from 'hono'
import { readText } from './body.ts'
import type { Budget } from './budget.ts'
import { publishLines } from './lines.ts'
import { problem } from './problem.ts'
import { reply } from './reply.ts'

export interface PublishDeps {
  readonly appender: Appender
  readonly budget: Budget
  /** Hears how many events Redis has taken. */
  readonly onAccepted: (events: number) => void
  readonly random: () => number
}

/**
 * POST /publish: one event, an array of events, or a stream of lines. 200 means that Redis has them all; no answer
 * means that nobody knows, so publish again.
 */
export function publish(deps: PublishDeps) {
  return async (c: Context): Promise<Response> => {
    // A compressed body could be a thousand times larger than what was measured.
    if (c.req.header('content-encoding') !== undefined) {
      return problem('unsupported_encoding', { headers: { 'Accept-Encoding': 'identity' } })
    }
    switch (mediaType(c.req.header('content-type') ?? '')) {
      case 'application/json':
        return await publishJson(deps, c.req.raw)
      case 'application/x-ndjson':
        return await publishLines(deps, c.req.raw)
      default:
        return problem('unsupported_media_type', {
          headers: { 'Accept-Post': 'application/json, application/x-ndjson' },
        })
    }
  }
}

async function publishJson(deps: PublishDeps, request: Request): Promise<Response> {
  using share = deps.budget.share()
  const body = await readText(request, share.take)
  if (isArray(body)) {
    const { queued, failure } = await deps.appender.appendAll(parseEvents(body))
    deps.onAccepted(queued)
    if (failure !== undefined) return problem('broker_unavailable', { queued, random: deps.random })
    return reply(200, `{"status":"queued","queued":${queued}}`)
  }
  const event = parseEvent(body)
  await deps.appender.append(event)
  deps.onAccepted(1)
  return reply(200, `{"status":"queued","event_id":${JSON.stringify(event.eventId)}}`)
}

const isArray = (body: string): boolean => /^\s*\[/.test(body)

/** The media type, if its parameters do not say that it is anything but UTF-8: JSON has no other (RFC 8259, 8.1). */
export function mediaType(contentType: string): string | undefined {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const charsets = parameters
    .map((parameter) => parameter.trim())
    .filter((text) => text.startsWith('charset='))
  return charsets.every((text) => /^charset="?utf-?8"?$/.test(text)) ? type.trim() : undefined
}
