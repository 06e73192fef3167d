import { readRates } from '@sekali/api/rates'
import { outcomesOf } from '@sekali/core/figures'
import { matches, parsePattern, type TopicPattern } from '@sekali/core/pattern'
import type { Context } from 'hono'
import { refusalOfPattern } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Intervals, Sampled, SampledTopics, Sampler } from './sampler.ts'

/** GET /rates: what this gateway has sampled. Nothing is read for it. */
export function rates({ ofAll, ofTopics }: Pick<Sampler, 'ofAll' | 'ofTopics'>) {
  const topicNames = createTopicNames(ofTopics)
  return (c: Context): Response => {
    const { values, issues } = parseParameters(new URL(c.req.url).searchParams, readRates.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const pattern = values.topic === undefined ? undefined : parsePattern(values.topic)
    const refused = refusalOfPattern(grantOf(c.env?.incoming), pattern)
    if (refused !== undefined) return toResponse(refused)
    if (pattern === undefined) return json(totalsOf(ofAll))
    if (!pattern.isPattern) return json({ ...intervalsOf(ofTopics), ...topicOf(ofTopics, pattern.text) })
    const { topics, next } = pageOf(topicNames(), pattern, values)
    const body = { ...intervalsOf(ofTopics), topics: topics.map((topic) => topicOf(ofTopics, topic)) }
    return json(body, next === undefined ? undefined : { Link: `<?${next}>; rel="next"` })
  }
}

const json = (body: object, headers?: Readonly<Record<string, string>>): Response =>
  reply(200, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers })

function intervalsOf({ startedAt, intervalMs, newestMs }: Intervals) {
  const began = startedAt()
  const newest = newestMs()
  return {
    started_at: began === undefined ? null : new Date(began).toISOString(),
    interval_seconds: intervalMs / 1_000,
    newest_seconds: newest === undefined ? null : Math.round(newest) / 1_000,
  }
}

function totalsOf(sampled: Sampled) {
  const { grid } = sampled
  return {
    ...intervalsOf(sampled),
    accepted: grid.values('accepted'),
    ...outcomesOf((name) => grid.values(name)),
    in_flight: grid.values('inFlight'),
  }
}

const topicOf = ({ accepted, stored }: SampledTopics, topic: string) => ({
  topic,
  accepted: accepted.values(topic),
  stored: stored.values(topic),
})

/** The topics in order. They change only when an interval is over, and many pages are asked for in one. */
function createTopicNames({ accepted, stored }: SampledTopics): () => readonly string[] {
  let topics: readonly string[] = []
  let asOf: number | undefined
  return () => {
    const { to } = accepted.bounds()
    if (to !== asOf) topics = [...new Set([...accepted.names, ...stored.names])].sort()
    asOf = to
    return topics
  }
}

function pageOf(
  names: readonly string[],
  pattern: TopicPattern,
  { limit, after = '' }: { readonly limit: number; readonly after?: string | undefined },
) {
  const wanted = names
    .values()
    .filter((topic) => topic > after && matches(pattern, topic))
    .take(limit + 1)
  const topics = [...wanted]
  if (topics.length <= limit) return { topics }
  topics.pop()
  const last = topics.at(-1) ?? ''
  return { topics, next: new URLSearchParams({ topic: pattern.text, limit: String(limit), after: last }) }
}
