import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Issue, Overloaded } from '@sekali/core/errors'
import { Source } from '@sekali/core/event'
import { parsePattern, type TopicPattern, TopicPatternText } from '@sekali/core/pattern'
import type { Context } from 'hono'
import * as v from 'valibot'
import type { Clients } from './clients.ts'
import type { Connections } from './connections.ts'
import type { Feed } from './feed.ts'
import type { FeedInUse } from './feeds.ts'
import { parseParameters } from './parameters.ts'
import { problem } from './problem.ts'
import { reply } from './reply.ts'
import type { Tails } from './tails.ts'

export interface TailDeps {
  readonly tails: Tails
  readonly clients: Clients
  readonly connections: Connections
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
  readonly random: () => number
}

const headers = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Accel-Buffering': 'no', // nginx would hold events back until it has some kilobytes
} as const

/**
 * GET /tail: the events of a topic or of a pattern's topics as Server-Sent Events, from a place on and then as they are
 * stored. Each one's `id` is the place behind it, so a client that sends it as Last-Event-ID misses nothing and sees
 * nothing twice, whichever gateway it comes to.
 */
export function tail({ tails, clients, connections, signal, random }: TailDeps) {
  return async (c: Context<{ Bindings: HttpBindings }>): Promise<Response> => {
    const query = parseTail(new URL(c.req.url).searchParams, c.req.header('last-event-id'))
    if ('issues' in query) return problem('invalid_parameters', { errors: query.issues })
    if (c.req.method === 'HEAD') return reply(200, null, headers)
    const { outgoing } = c.env
    const { socket } = outgoing
    if (socket === null) return RESPONSE_ALREADY_SENT // the client has left
    // First of all, so that those for whom there is no room cost nothing.
    if (signal.aborted || !connections.becomeTail(socket)) return problem('too_many_tails', { random })
    let use: FeedInUse | undefined
    let isServed = false
    try {
      use = tails.feedOf(query.pattern, clients.of(c.env.incoming))
      const place = await placeOf(use.feed, query.from)
      if (place === 'invalid') return problem('invalid_parameters', { errors: [badCursor] })
      if (place === 'ahead') return problem('cursor_ahead')
      if (outgoing.destroyed || outgoing.socket === null) return RESPONSE_ALREADY_SENT
      outgoing.writeHead(200, headers)
      tails.serve(use, outgoing, place.id, query.source)
      isServed = true
      return RESPONSE_ALREADY_SENT
    } catch (error) {
      if (error instanceof Overloaded) return problem('too_many_tails', { random })
      throw error
    } finally {
      if (!isServed) {
        use?.[Symbol.dispose]()
        connections.leaveTails(socket)
      }
    }
  }
}

type Place = { readonly id: string } | 'invalid' | 'ahead'

/** The cursor to begin behind, or what is wrong with it. Rejects when it cannot be told yet. */
async function placeOf(feed: Feed, from: From): Promise<Place> {
  try {
    await feed.begin()
    if ('now' in from) return feed.ring ? { id: feed.ring.endId } : 'invalid'
    const id = await feed.normalize(from.id)
    if (id === undefined) return 'invalid'
    return (await feed.isAhead(id)) ? 'ahead' : { id }
  } catch (error) {
    // A place that the client names can wait until PostgreSQL is back, and EventSource would not come again.
    if (feed.isClosed || 'now' in from || feed.pattern.isPattern) throw error
    const id = await feed.normalize(from.id)
    return id === undefined ? 'invalid' : { id }
  }
}

type From = { readonly now: true } | { readonly id: string }

interface TailQuery {
  readonly pattern: TopicPattern
  readonly from: From
  readonly source: string | undefined
}

const fromRule = 'must be start, now, or the seq to begin behind'

const parameters = {
  topic: TopicPatternText,
  from: v.optional(v.pipe(v.string(fromRule), v.regex(/^(start|now|\d{1,16})$/, fromRule)), 'now'),
  source: v.optional(Source),
  last_event_id: v.optional(v.string()),
}

const badCursor: Issue = {
  path: 'last_event_id',
  code: 'invalid_last_event_id',
  message: 'must be an id that came with an event of this topic or pattern',
}

function parseTail(
  query: URLSearchParams,
  lastEventId: string | undefined,
): TailQuery | { readonly issues: readonly Issue[] } {
  const { values, issues } = parseParameters(query, parameters)
  if (values === undefined || issues.length > 0) return { issues }
  const { topic, from, source, last_event_id } = values
  const pattern = parsePattern(topic)
  // The header is newer than the query: EventSource repeats the URL that it was made with.
  const id = lastEventId || last_event_id
  if (id) return { pattern, source, from: { id } }
  if (from === 'now') return { pattern, source, from: { now: true } }
  if (from === 'start') return { pattern, source, from: { id: '0' } }
  if (pattern.isPattern) return { issues: [{ path: 'from', code: 'invalid_from', message: onlyOne }] }
  return { pattern, source, from: { id: from } }
}

const onlyOne = 'must be start or now for a pattern: a seq is of one topic'
