/**
 * What a page of another site can make a browser send without asking: a form, or a `fetch` whose answer it may not
 * read. Browsers name the origin of such a request, and a form has one of three content types. Other clients send
 * neither: `curl -X POST` without a body passes.
 */
import type { IncomingMessage } from 'node:http'
import { typeOf } from './media.ts'

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export const isSafe = (method: string | undefined): boolean => safeMethods.has(method ?? '')

/** Whether a page of another origin has sent it, as far as its browser reports that. */
export function isForeign({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const site = headers['sec-fetch-site'] ?? 'none'
  if (site !== 'same-origin' && site !== 'none') return true // also of the same site: another port, a subdomain
  return headers.origin !== undefined && !isOwn(headers.origin, headers.host ?? '')
}

/** Whether a browser says that a page of this origin has sent it. Who says nothing may be anybody's page. */
export const isSameOrigin = (request: Pick<IncomingMessage, 'headers'>): boolean =>
  !isForeign(request) &&
  (request.headers['sec-fetch-site'] === 'same-origin' || request.headers.origin !== undefined)

/** An origin that a proxy serves with TLS is ours too, if the proxy leaves the Host as it was. */
function isOwn(origin: string, host: string): boolean {
  const [, scheme] = /^(https?:)\/\/[^/?#@\\\s]+$/i.exec(origin) ?? []
  const own = `${scheme}//${host}`
  if (scheme === undefined || !URL.canParse(origin) || !URL.canParse(own)) return false
  return new URL(origin).host === new URL(own).host
}

const formTypes: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
])

/** Whether a body is of a type that a form can send. */
export function isForm({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return formTypes.has(typeOf(headers['content-type']))
}
