/** What a grant allows, as the answer to what it does not. A refusal says what the holder may do, never what exists. */
import { allowsPattern, allowsTopic, type Grant } from '@sekali/core/access'
import type { Issue } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import { parsePattern, type TopicPattern } from '@sekali/core/pattern'
import { refusal } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'

const everyTopic = parsePattern('>')

/** Whether it may see all topics, those to come included. */
export const seesAll = (grant: Grant): boolean => allowsPattern(grant, everyTopic)

/** Undefined if all topics that the pattern can match are allowed. Without a pattern all topics are meant. */
export function refusalOfPattern(grant: Grant, pattern: TopicPattern | undefined): Answer | undefined {
  if (allowsPattern(grant, pattern ?? everyTopic)) return undefined
  const detail = pattern === undefined ? `All topics are not allowed: name one. ${allowed(grant)}` : undefined
  return forbidden(grant, detail)
}

export const refusalOfTopic = (grant: Grant, topic: string): Answer | undefined =>
  allowsTopic(grant, topic) ? undefined : forbidden(grant)

/** What of an event is not allowed, if anything is. */
export function issueOf(grant: Grant, { topic, source }: Pick<Event, 'topic' | 'source'>): Issue | undefined {
  if (!allowsTopic(grant, topic)) {
    return { path: 'topic', code: 'forbidden_topic', message: `is not allowed: ${patternsOf(grant)}` }
  }
  if (grant.source === undefined || grant.source === source) return undefined
  return { path: 'source', code: 'forbidden_source', message: `must be ${grant.source}` }
}

/** The answer to a body with an event that may not be published; it names the first of them. Nothing is queued then. */
export function refusalOfEvents(
  grant: Grant,
  events: readonly Event[],
  isBatch: boolean,
): Answer | undefined {
  for (const event of events) {
    const issue = issueOf(grant, event)
    if (issue === undefined) continue
    const index = events.indexOf(event)
    const detail =
      issue.path === 'topic'
        ? `The topic ${event.topic} is not allowed. Nothing is queued. ${allowed(grant)}`
        : `Another source is not allowed. Nothing is queued. This key publishes as ${grant.source}.`
    return refusal('forbidden', { detail, errors: [isBatch ? { index, ...issue } : issue] })
  }
  return undefined
}

/** `insufficient_scope` is RFC 6750's word (3.1). */
export const refusalOfScope = (grant: Grant, scope: string): Answer =>
  refusal('forbidden', {
    detail: `This needs the scope ${scope}. ${grant.scopes.length === 0 ? 'The key has none' : `The key has ${grant.scopes.join(', ')}`}.`,
    headers: { 'WWW-Authenticate': `Bearer realm="sekali", error="insufficient_scope", scope="${scope}"` },
  })

export const forbidden = (grant: Grant, detail = `These topics are not allowed. ${allowed(grant)}`): Answer =>
  refusal('forbidden', { detail })

/** Patterns that an answer names. */
const namedMax = 8

function patternsOf({ topics }: Grant): string {
  const more = topics.length > namedMax ? ` and ${topics.length - namedMax} more` : ''
  return `the key may use ${
    topics
      .slice(0, namedMax)
      .map(({ text }) => text)
      .join(', ') || 'no topics'
  }${more}`
}

const allowed = (grant: Grant): string => {
  const text = patternsOf(grant)
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
