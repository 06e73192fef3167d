/**
 * What a request must be like before any route sees it, publishing included: its target has one spelling, its host is
 * ours, and no page of another site has sent it. That stands in for authentication where nobody is asked for a key, and
 * costs nothing where everybody is.
 */
import type { IncomingMessage } from 'node:http'
import { createHosts, hasProperHost, isTwice, parseHost } from './host.ts'
import { isForeign, isForm, isSafe } from './origin.ts'
import { refusal } from './problem.ts'
import type { Answer } from './reply.ts'
import { parseTarget } from './target.ts'
import { unsupportedMediaType } from './unsupported-media.ts'

export interface DoorOptions {
  /** The names of this gateway, beside addresses and localhost. */
  readonly hosts?: readonly string[] | undefined
  /** The literal segments of all routes. */
  readonly words: ReadonlySet<string>
  /** Whether a page that the operator has listed has sent the request. */
  readonly isListed?: ((request: IncomingMessage) => boolean) | undefined
}

/** Returns why a request is refused. If it is not, its url is now a path with a query, whatever form it came in. */
export type Door = (request: IncomingMessage) => Answer | undefined

export function createDoor({ hosts = [], words, isListed = () => false }: DoorOptions): Door {
  const isOurs = createHosts(hosts)
  // Nearly every request brings the host that the last one brought.
  let lastOurs: string | undefined

  function refusalOfHost(request: IncomingMessage): Answer | undefined {
    const { method, url, headers } = request
    if (!hasProperHost(request)) return refusal('bad_host')
    const host = parseHost(headers.host ?? '')
    if (host !== undefined && isOurs(host)) lastOurs = headers.host
    else if (!probes.test(`${method} ${url}`))
      return refusal(host === undefined ? 'bad_host' : 'unknown_host')
    return undefined
  }

  return (request) => {
    const { method = '', url = '', headers, rawHeaders } = request
    const target = parseTarget(method, url, headers.host, words)
    if (target === undefined) return refusal('bad_request_target')
    request.url = target
    const isPlain = headers.host === lastOurs && lastOurs !== undefined && !isTwice(rawHeaders, 'host')
    const refused = isPlain ? undefined : refusalOfHost(request)
    if (refused !== undefined) return refused
    return isSafe(method) ? undefined : refusalOfStranger(request, isListed)
  }
}

/** Routes that only report on this process. Health checks may call it by host names that HOSTS does not list. */
const probes = /^(?:\w+ \/(?:healthz|readyz)|OPTIONS \/)(?:\?|$)/

function refusalOfStranger(
  request: IncomingMessage,
  isListed: (request: IncomingMessage) => boolean,
): Answer | undefined {
  if (isForeign(request) && !isListed(request)) return refusal('foreign_origin')
  const isUnclear = isForm(request) || isTwice(request.rawHeaders, 'content-type')
  return isUnclear ? unsupportedMediaType(request.headers) : undefined
}
