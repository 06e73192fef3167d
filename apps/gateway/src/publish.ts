import type { Appender } from '@sekali/broker/append'
import { parseEvent } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import type { Context } from 'hono'
import { readText } from './body.ts'
import { problem } from './problem.ts'
import { reply } from './reply.ts'

/** POST /publish: one event. 200 means that Redis has it; no answer means that nobody knows, so publish it again. */
export function publish(appender: Appender, onAccepted: () => void) {
  return async (c: Context): Promise<Response> => {
    // A compressed body could be a thousand times larger than what was measured.
    if (c.req.header('content-encoding') !== undefined) {
      return problem('unsupported_encoding', { headers: { 'Accept-Encoding': 'identity' } })
    }
    if (!isJson(c.req.header('content-type') ?? '')) {
      return problem('unsupported_media_type', { headers: { 'Accept-Post': 'application/json' } })
    }
    const event = parseEvent(await readText(c.req.raw, limits.bodyBytesMax))
    await appender.append(event)
    onAccepted()
    return reply(200, `{"status":"queued","event_id":${JSON.stringify(event.eventId)}}`)
  }
}

/** `application/json`, with any parameters, as long as a charset says UTF-8: JSON has no other (RFC 8259, 8.1). */
export function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const charsets = parameters
    .map((parameter) => parameter.trim())
    .filter((text) => text.startsWith('charset='))
  return type.trim() === 'application/json' && charsets.every((text) => /^charset="?utf-?8"?$/.test(text))
}
