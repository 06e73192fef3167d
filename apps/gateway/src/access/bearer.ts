/** What a client shows of itself: `Authorization: Bearer …` (RFC 6750, 2.1), and nothing in the URL, which logs keep. */
import type { IncomingMessage } from 'node:http'
import { isTwice } from '../http/host.ts'
import { refusal } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'

/** A key has some 60 characters, a token of an issuer a thousand or two. */
const charsMax = 8 * 1024
const usualScheme = 'Bearer '
const scheme = /^bearer +/i
const shape = /^[\w.~+/-]+=*$/

/** What was shown, of whatever characters, or the answer to a request that shows nothing of the kind. */
export function bearerOf({
  headers,
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | Answer {
  const { authorization } = headers
  if (authorization === undefined) return stranger()
  // Node takes the first of two, and a proxy in front may have looked at the last.
  if (isTwice(rawHeaders, 'authorization')) {
    return refusal('bad_request', { detail: 'There must be one Authorization header.' })
  }
  // Nearly every client writes it so.
  const usual = authorization.startsWith(usualScheme) ? usualScheme : undefined
  const [begin] = usual === undefined ? (scheme.exec(authorization) ?? []) : [usual]
  if (begin === undefined) return stranger('The only scheme of Authorization that is taken is Bearer.')
  const text = authorization.slice(begin.length).trim()
  return text.length <= charsMax ? text : badBearer(`No key or token has more than ${charsMax} characters.`)
}

/** Whether it is written as keys and tokens are (RFC 6750, 2.1). */
export const isWellWritten = (text: string): boolean => shape.test(text)

/** The answer to a request without a key. RFC 6750, 3.1: then the challenge names no error. */
const stranger = (detail?: string): Answer =>
  refusal('unauthorized', {
    ...(detail !== undefined && { detail }),
    headers: { 'WWW-Authenticate': 'Bearer realm="sekali"' },
  })

/** The answer to a key or token that is not taken. Why is said only to a holder of the whole secret. */
export const badBearer = (detail = notValid): Answer =>
  refusal('unauthorized', {
    detail,
    headers: invalidToken,
  })

/** The answer to a session's cookie that is not taken, or not any more. */
export const badSession = (detail = 'The session is over.'): Answer => badBearer(`${detail} Log in again.`)

/** The answer to a key or token that was good when the request came, and is not any more. */
export const endedBearer = (): Answer => badBearer('The key has been revoked, or has expired.')

/** The challenge that goes with it (RFC 6750, 3.1). */
export const invalidToken = { 'WWW-Authenticate': 'Bearer realm="sekali", error="invalid_token"' } as const

const notValid = 'This key or token is not valid here.'
export const mistyped = 'This is not a whole key: copy it again, from sekali_ to the end.'
