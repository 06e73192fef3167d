/**
 * Bodies of a few kilobytes, for routes that Hono serves: those of requests that manage something, and of workers. They are
 * read before the handler is called, so that a slow or large one holds nothing but itself. What carries events is read by publish/.
 */
import type { IncomingMessage } from 'node:http'
import { MalformedJson, NotUtf8 } from '@sekali/core/errors'
import { decodeUtf8, utf8Rule, withoutMark } from '@sekali/core/utf8'
import { isPlain, mediaType } from './media.ts'
import { refusal } from './problem.ts'
import type { Answer } from './reply.ts'

export const smallBodyBytesMax = 16 * 1024

const bodies = new WeakMap<IncomingMessage, Uint8Array>()

export const keepBody = (request: IncomingMessage, body: Uint8Array): void => void bodies.set(request, body)

/** The body as JSON, or why it is none. Throws `MalformedJson` or `NotUtf8`. */
export function jsonBody(
  request: IncomingMessage,
): { readonly json: unknown } | { readonly refused: Answer } {
  const { headers } = request
  if (!isPlain(headers['content-encoding'])) {
    return { refused: refusal('unsupported_encoding', { headers: { 'Accept-Encoding': 'identity' } }) }
  }
  if (mediaType(headers['content-type']) !== 'application/json') {
    const detail = 'Send application/json in UTF-8.'
    return {
      refused: refusal('unsupported_media_type', { detail, headers: { 'Accept-Post': 'application/json' } }),
    }
  }
  const bytes = bodies.get(request) ?? new Uint8Array()
  const text = decodeUtf8(bytes)
  if (text === undefined) throw new NotUtf8(`the body ${utf8Rule(bytes)}`)
  try {
    return { json: JSON.parse(withoutMark(text)) }
  } catch {
    throw new MalformedJson('the body is not JSON') // the parser's own message quotes it
  }
}
