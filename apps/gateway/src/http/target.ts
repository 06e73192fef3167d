/**
 * The request target as it was sent (RFC 9112, 3.2), before anything decodes or tidies it.
 *
 * A proxy in front may allow `/events` and keep `/publish` to itself. It compares texts, so a path must have one
 * spelling: what Hono and `URL` would decode or resolve (`/%70ublish`, `/events/../publish`) is refused here. Event ids
 * and keys are data and may encode their UTF-8 in any way, because no route depends on them.
 */

/**
 * What to route by: a path and a query, or undefined if the target is refused. `words` are the literal segments of
 * the routes; `host` is the Host header.
 */
export function parseTarget(
  method: string,
  target: string,
  host: string | undefined,
  words: ReadonlySet<string>,
): string | undefined {
  const origin = originForm(method, target, host)
  return origin !== undefined && isPlain(origin, words) ? origin : undefined
}

const absoluteForm = /^http:\/\/([^/?#]*)(.*)$/i

/** `OPTIONS *` is about the whole server, as `OPTIONS /` is here. This is nobody's proxy: the authority must be ours. */
function originForm(method: string, target: string, host: string | undefined): string | undefined {
  if (target.startsWith('/')) return target
  if (target === '*') return method === 'OPTIONS' ? '/' : undefined
  const [, authority, rest = ''] = absoluteForm.exec(target) ?? []
  if (host === undefined || authority?.toLowerCase() !== host.toLowerCase()) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Nearly every target: nothing in it is encoded, and no segment begins with a dot. */
const surelyPlain = /^\/$|^(?:\/[\w:-][\w.:-]*)+(?:\?[^#]*)?$/

function isPlain(target: string, words: ReadonlySet<string>): boolean {
  const at = target.indexOf('?')
  const path = at === -1 ? target : target.slice(0, at)
  // What is not UTF-8 would be read as U+FFFD, and so two ids as one.
  if (at !== -1 && target.includes('%', at) && decoded(target.slice(at)) === undefined) return false
  if (surelyPlain.test(target)) return true
  // A target has no fragment: what stands behind a # is the path's end to one server, and part of it to another.
  if (target.includes('#') || path.includes('\\')) return false
  const segments = path.slice(1).split('/')
  return segments.every((segment, index) => {
    if (segment === '') return index === segments.length - 1
    return isPlainSegment(segment, index, words)
  })
}

/** A letter, a digit, a slash, a backslash or NUL. Some encoders encode every punctuation mark, none a letter. */
const disguised = /%(?:3\d|[46][1-9a-f]|[57][0-9a]|2f|5c|00)/i

/** First comes the route's own word, then a name (of a topic, of a projection), then data or another word. */
function isPlainSegment(segment: string, index: number, words: ReadonlySet<string>): boolean {
  if (segment === '.' || segment === '..') return false
  if (!segment.includes('%')) return true
  if (index === 0) return false
  const text = decoded(segment)
  // As in a query: two ids that are not UTF-8 could be read as one.
  if (text === undefined) return false
  if (text === '.' || text === '..' || words.has(text)) return false
  return index > 1 || !disguised.test(segment)
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
