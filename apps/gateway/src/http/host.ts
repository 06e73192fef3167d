/**
 * The names by which a gateway may be called. A web page can give its own name the address of
 * this machine (DNS rebinding), and then talk to the gateway as if it were of the gateway's origin. So a name must be
 * ours; an address cannot be rebound.
 */
import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'

export interface Host {
  /** In lower case, without a trailing dot. */
  readonly name: string
  readonly isAddress: boolean
}

const labels = /^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?$/
const nameCharsMax = 255

/** The value of a Host header, `name[:port]`; undefined if it is none (RFC 9110, 7.2). */
export function parseHost(text: string): Host | undefined {
  const [, bracketed, plain = '', port = ''] =
    /^(?:\[([\da-f:.]+)\]|([^[\]:]+))(?::(\d*))?$/i.exec(text) ?? []
  if (port.length > 5 || Number(port) > 65_535) return undefined
  if (bracketed !== undefined) return isIPv6(bracketed) ? { name: bracketed, isAddress: true } : undefined
  const name = plain.toLowerCase()
  if (name.length > nameCharsMax || !labels.test(name)) return undefined
  return { name: name.replace(/\.$/, ''), isAddress: isIPv4(name) }
}

/**
 * Whether a request has a proper Host (RFC 9112, 3.2). HTTP/1.0 need not have one, and there are load balancers that check
 * with it. Without one the answer is 400, on every route and every port.
 */
export function hasProperHost({ headers, rawHeaders, httpVersion }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersion === '1.0'
  return parseHost(headers.host) !== undefined && !isTwice(rawHeaders, 'host')
}

/** Of two headers of these names Node takes the first; another server may take the last. */
export function isTwice(rawHeaders: readonly string[], name: string): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const other = rawHeaders[index]
    if (other?.length === name.length && other.toLowerCase() === name) count += 1
  }
  return count > 1
}

/** Whether a host is ours: an address, a name of the loopback interface (RFC 6761, 6.3), or one of `names`. */
export function createHosts(names: readonly string[] = []): (host: Host) => boolean {
  const ours = new Set(['localhost', ...names.flatMap((text) => parseHost(text)?.name ?? [])])
  return ({ name, isAddress }) => isAddress || ours.has(name) || name.endsWith('.localhost')
}
