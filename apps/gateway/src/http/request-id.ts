/**
 * What a request is called: by its client, in `X-Request-Id`, or else by us. The answer says it back, and so does each line
 * of the log that is about the request: so a client's trouble is found in the log, and a line of the log at the client.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Logger } from '@sekali/process/log'

export const requestIdHeader = 'X-Request-Id'

/** What UUIDs, trace ids and base64 have. Anything else could break a line of a log that somebody parses. */
const wellFormed = /^[\w.:+/=@-]{1,128}$/

const key = Symbol('request id')
type Named = IncomingMessage & { [key]?: string }

// Unique here and unlikely elsewhere; a UUID for each event would cost as much as counting it.
const prefix = randomBytes(6).toString('hex')
let count = 0

/** The same at each call. */
export function requestIdOf(request: Named): string {
  request[key] ??= lastRequestIdOf(request)
  return request[key]
}

/** The same for who is the last to ask, with the answer: nearly no request had a line in the log before. */
export function lastRequestIdOf(request: Named): string {
  const known = request[key]
  if (known !== undefined) return known
  const given = request.headers['x-request-id']
  if (typeof given === 'string' && wellFormed.test(given)) return given
  return newRequestId()
}

/** For an answer to what is no request. */
export function newRequestId(): string {
  count += 1
  return `${prefix}-${count.toString(36)}`
}

/** A log whose lines say which request they are about. To be made where there is a line: it costs more than a request. */
export const logOf = (log: Logger, request: IncomingMessage | undefined): Logger =>
  request === undefined ? log : log.child({ request_id: requestIdOf(request) })
