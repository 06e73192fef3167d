import type { IncomingMessage, ServerResponse } from 'node:http'
import { fromRule, tailEvents } from '@sekali/api/read'
import { CursorAhead, type Issue, LogRestored, Overloaded } from '@sekali/core/errors'
import { parsePattern, type TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import { refusalOfPattern } from '../access/may.ts'
import { principalOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { parseParameters } from '../http/parameters.ts'
import { refusal, refusalOf } from '../http/problem.ts'
import { type Answer, sendEarly } from '../http/reply.ts'
import { lastRequestIdOf, requestIdHeader } from '../http/request-id.ts'
import type { DirectHandler } from '../http/router.ts'
import type { Connections } from '../sockets/connections.ts'
import type { Feed } from './feed.ts'
import type { FeedInUse } from './feeds.ts'
import type { Tails } from './tails.ts'

export interface TailDeps {
  readonly tails: Tails
  readonly clients: Clients
  readonly connections: Connections
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly random: () => number
}

const headers = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Accel-Buffering': 'no', // nginx would hold events back until it has some kilobytes
} as const

/**
 * GET /tail: the events of a topic or of a pattern's topics as Server-Sent Events: those after the start, then new ones as
 * they are stored. Each event's `id` is the cursor behind it. So a client that sends it as Last-Event-ID misses nothing
 * and sees nothing twice, whichever gateway it comes to.
 *
 * It serves node:http itself, as publishing does: thousands may begin at once, and everybody else waits meanwhile.
 */
export function tail(deps: TailDeps): DirectHandler {
  return async (request, response) => {
    const refused = await begin(deps, request, response).catch((error) =>
      refusalOf(error, deps.log, deps.random, { request }),
    )
    if (refused !== undefined) sendEarly(response, refused)
  }
}

/** Serves the tail, or resolves with why it is refused. A client that has left meanwhile is not answered. */
async function begin(
  { tails, clients, connections, signal, random }: TailDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const query = parseTail(queryOf(request), String(request.headers['last-event-id'] ?? ''))
  if ('issues' in query) return refusal('invalid_parameters', { errors: query.issues })
  const { grant, life } = principalOf(request)
  const refused = refusalOfPattern(grant, query.pattern)
  if (refused !== undefined) return refused
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...headers, [requestIdHeader]: lastRequestIdOf(request) }).end()
    return undefined
  }
  const { socket } = response
  if (socket === null) return undefined
  // First of all, so that those for whom there is no room cost nothing.
  if (signal.aborted || !connections.becomeTail(socket)) return refusal('too_many_tails', { random })
  let use: FeedInUse | undefined
  let isServed = false
  try {
    use = tails.feedOf(query.pattern, clients.of(request))
    const start = await findStart(use.feed, query.from)
    if (start === 'invalid') return refusal('invalid_parameters', { errors: [badStart(query.from)] })
    if (response.destroyed || response.socket === null) return undefined
    response.writeHead(200, { ...headers, [requestIdHeader]: lastRequestIdOf(request) })
    const isKnown = 'id' in query.from
    tails.serve(use, response, { id: start.id, isKnown }, query.source, life)
    isServed = true
    return undefined
  } catch (error) {
    if (error instanceof Overloaded) return refusal('too_many_tails', { random })
    throw error
  } finally {
    if (!isServed) {
      use?.[Symbol.dispose]()
      connections.leaveTails(socket)
    }
  }
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : url.slice(at))
}

type Start = { readonly id: string } | 'invalid'

/** The cursor to begin behind, or that it is none. Rejects when the log has it no longer, or when that cannot be known yet. */
async function findStart(feed: Feed, from: From): Promise<Start> {
  try {
    await feed.begin()
    if ('now' in from) return feed.ring ? { id: feed.ring.endId } : 'invalid'
    const id = await feed.normalize(from.id)
    return id === undefined ? 'invalid' : { id }
  } catch (error) {
    if (error instanceof LogRestored || error instanceof CursorAhead) throw error
    // An id that the client names can wait until PostgreSQL is back, and EventSource would not come again.
    if (feed.isClosed || 'now' in from || feed.pattern.isPattern) throw error
    const id = feed.spell(from.id)
    return id === undefined ? 'invalid' : { id }
  }
}

/** The id to begin behind, and the parameter that named it. */
interface NamedId {
  readonly id: string
  readonly name: string
}

type From = { readonly now: true } | NamedId

interface TailQuery {
  readonly pattern: TopicPattern
  readonly from: From
  readonly source: string | undefined
}

/**
 * What the last event's id is called in a query. The first is ours; event-source-polyfill, and what is made of it, sends
 * the second, clients of Mercure hubs the third or, of older ones, the fourth.
 */
const idNames = ['last_event_id', 'lastEventId', 'lastEventID', 'Last-Event-ID'] as const

function badStart(from: From): Issue {
  if ('now' in from || from.name === 'from') return { path: 'from', code: 'invalid_from', message: fromRule }
  const message = 'must be an id that came with an event of this topic or pattern'
  return { path: from.name, code: 'invalid_last_event_id', message }
}

/**
 * The last id that the client got. The header is the newest, because EventSource repeats the URL that it was made with.
 * In the query the last one is, by whatever name: libraries add theirs at the end of that URL.
 */
function lastEventIdIn(query: URLSearchParams, header: string): NamedId | undefined {
  if (header) return { id: header, name: 'last_event_id' }
  const ids = [...query].filter(([name, id]) => id !== '' && idNames.some((known) => known === name))
  const [name, id] = ids.at(-1) ?? []
  return name === undefined || id === undefined ? undefined : { id, name }
}

function parseTail(
  query: URLSearchParams,
  lastEventId: string,
): TailQuery | { readonly issues: readonly Issue[] } {
  const named = lastEventIdIn(query, lastEventId)
  const others = new URLSearchParams(query)
  for (const name of idNames) others.delete(name)
  const { values, issues } = parseParameters(others, tailEvents.request.query)
  if (values === undefined || issues.length > 0) return { issues }
  const { topic, from, source } = values
  const pattern = parsePattern(topic)
  if (named) return { pattern, source, from: named }
  if (from === 'now') return { pattern, source, from: { now: true } }
  if (from === 'start') return { pattern, source, from: { id: '0', name: 'from' } }
  if (pattern.isPattern) return { issues: [{ path: 'from', code: 'invalid_from', message: onlyOne }] }
  return { pattern, source, from: { id: from, name: 'from' } }
}

const onlyOne = 'must be start or now for a pattern: a seq is of one topic'
