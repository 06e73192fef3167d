/**
 * Lets pages of some origins use the gateway (https://fetch.spec.whatwg.org/#http-cors-protocol). Nothing of it happens
 * unless an operator lists origins. Only keys that the page has are used: there are no cookies, so no credentials.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, answer } from './reply.ts'

export interface Cors {
  /** Whether a page of an origin that is listed has sent it. */
  isListed(request: Pick<IncomingMessage, 'headers'>): boolean
  /** Says in the answer that the page may read it, and in every answer that it depends on the page. */
  allow(request: Pick<IncomingMessage, 'headers'>, response: ServerResponse): void
  /** The answer if a browser asks whether its page may send the request that follows. It has no key yet. */
  preflight(request: IncomingMessage): Answer | undefined
}

export function createCors(origins: readonly string[]): Cors {
  const listed = new Set(origins)
  const isListed: Cors['isListed'] = ({ headers: { origin } }) => origin !== undefined && listed.has(origin)
  return {
    isListed,
    allow(request, response) {
      response.setHeader('Vary', 'Origin')
      if (!isListed(request)) return
      response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '')
      response.setHeader('Access-Control-Expose-Headers', exposed)
    },
    preflight(request) {
      const { method, headers } = request
      const isAsked = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
      return isAsked && isListed(request) ? permission : undefined
    },
  }
}

const exposed =
  'Allow, ETag, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id'

const permission = answer(204, null, {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE',
  'Access-Control-Allow-Headers':
    'Accept, Authorization, Content-Type, If-None-Match, Last-Event-ID, Prefer, X-Request-Id',
  'Access-Control-Max-Age': '600',
})

/** An origin as browsers write it: `https://app.example.com`, with a port if it is not the usual one. */
export const isOrigin = (text: string): boolean =>
  /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
