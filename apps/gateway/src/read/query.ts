import { limitOf, readEvents } from '@sekali/api/read'
import { type Bound, badBound, formatBound } from '@sekali/core/bound'
import { parseCursor } from '@sekali/core/cursor'
import { parsePlace } from '@sekali/core/epoch-place'
import type { Issue } from '@sekali/core/errors'
import { type EventId, TopicName } from '@sekali/core/event'
import type { EpochPlace } from '@sekali/core/fork'
import { limits } from '@sekali/core/limits'
import { isPattern, matches, parsePattern, type TopicPattern } from '@sekali/core/pattern'
import * as v from 'valibot'
import { parseParameters } from '../http/parameters.ts'

/** Which events are wanted, and in which order. Without `order` it is ascending if `after` is given, otherwise descending. */
export interface Page {
  readonly topics?: TopicPattern
  /** Then nothing but topics and limit is given. */
  readonly eventId?: EventId
  readonly source?: string
  readonly from?: string
  readonly to?: string
  readonly by?: 'timestamp' | 'received_at'
  readonly after?: Bound
  readonly before?: Bound
  readonly order?: 'asc' | 'desc'
  readonly limit?: number
}

/** Reads the query of `GET /events`. */
export function parsePage(
  query: URLSearchParams,
  limitMax: number = limits.pageSizeMax,
): Page | { readonly issues: readonly Issue[] } {
  const parameters = { ...readEvents.request.query, limit: limitOf(limitMax) }
  const { values, issues } = parseParameters(query, parameters)
  if (!query.has('topic') && (query.has('after') || query.has('before'))) {
    issues.push({ path: 'topic', code: 'missing_topic', message: 'is required with after and with before' })
  }
  if (values === undefined || issues.length > 0) return { issues }
  const { from, to } = values
  if (from !== undefined && to !== undefined && from > to) {
    return {
      issues: [{ path: 'to', code: 'contradictory_parameters', message: 'must not come before from' }],
    }
  }

  const { topic, event_id: eventId, after: afterText, before: beforeText, ...rest } = values
  const beside = besideId.filter((name) => query.has(name))
  if (eventId !== undefined && beside.length > 0) {
    const message = `goes with topic and limit alone: leave out ${beside.join(', ')}`
    return { issues: [{ path: 'event_id', code: 'contradictory_parameters', message }] }
  }
  const after = parseBound(topic, afterText, 0)
  const before = parseBound(topic, beforeText, 1)
  const unread = (path: string, text: string | undefined, bound: Bound | undefined): Issue[] => {
    if (text === undefined || bound !== undefined) return []
    return [badBound(path, isPattern(topic ?? ''))]
  }
  issues.push(...unread('after', afterText, after), ...unread('before', beforeText, before))
  if (issues.length > 0) return { issues }
  return defined({
    ...rest,
    topics: topic === undefined ? undefined : parsePattern(topic),
    eventId,
    after,
    before,
  })
}

/** What says nothing more where an id does: a topic has one event of it at most. */
const besideId = ['source', 'from', 'to', 'by', 'after', 'before', 'order']

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>

/** The order of a page, given or by default. */
export const orderOf = ({ order, after }: Page): 'asc' | 'desc' =>
  order ?? (after === undefined ? 'desc' : 'asc')

/**
 * The link to the next page, relative to this one (RFC 8288, RFC 3986 4.2): the same query, going on from a bound. So it
 * works behind any prefix that a proxy has put before the path. A query without a topic becomes one by pattern.
 */
export function nextPage(query: URLSearchParams, page: Page, bound: Bound): string {
  const next = new URLSearchParams({
    topic: page.topics?.text ?? '>',
    limit: String(page.limit ?? limits.pageSizeDefault),
  })
  for (const name of ['source', 'from', 'to', 'by', 'order', 'after', 'before']) {
    const value = query.get(name)
    if (value !== null) next.set(name, value)
  }
  next.set(orderOf(page) === 'asc' ? 'after' : 'before', formatBound(bound))
  return `?${next}`
}

/** The bound in a text; undefined if it has none. The bound of a single topic is a seq of at least `min`. */
export function parseBound(
  topic: string | undefined,
  text: string | undefined,
  min: number,
): Bound | undefined {
  if (topic === undefined || text === undefined) return undefined
  if (!isPattern(topic)) {
    const place = parsePlace(text)
    return place !== undefined && place.seq >= min ? place : undefined
  }
  return text.includes(':') ? parsePairs(parsePattern(topic), text) : parseCursor(text)
}

/** Bounds as a client can write them itself, from the events it has: `orders.eu:42,orders.us:2.7`. */
function parsePairs(pattern: TopicPattern, text: string): ReadonlyMap<string, EpochPlace> | undefined {
  const bounds = new Map<string, EpochPlace>()
  for (const pair of text.split(',')) {
    const [topic = '', seqText = '', more] = pair.split(':')
    const place = parsePlace(seqText)
    if (!v.is(TopicName, topic) || place === undefined || more !== undefined) return undefined
    if (!matches(pattern, topic) || bounds.has(topic)) return undefined
    bounds.set(topic, place)
  }
  return bounds
}
