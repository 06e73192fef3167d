import { readRates } from '@sekali/api/rates'
import { outcomesOf } from '@sekali/core/figures'
import { matches, parsePattern, type TopicPattern } from '@sekali/core/pattern'
import type { Context } from 'hono'
import { refusalOfPattern } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import { ofTopic, type Sampled, type Sampler } from './sampler.ts'

/** GET /rates: what this gateway has sampled. Nothing is read for it. */
export function rates({ ofAll, ofTopics }: Pick<Sampler, 'ofAll' | 'ofTopics'>) {
  return (c: Context): Response => {
    const { values, issues } = parseParameters(new URL(c.req.url).searchParams, readRates.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const pattern = values.topic === undefined ? undefined : parsePattern(values.topic)
    const refused = refusalOfPattern(grantOf(c.env?.incoming), pattern)
    if (refused !== undefined) return toResponse(refused)
    if (pattern === undefined) return json(totalsOf(ofAll))
    if (!pattern.isPattern) return json({ ...gridOf(ofTopics), ...topicOf(ofTopics, pattern.text) })
    const { topics, next } = pageOf(ofTopics, pattern, values)
    const body = { ...gridOf(ofTopics), topics: topics.map((topic) => topicOf(ofTopics, topic)) }
    return json(body, next === undefined ? undefined : { Link: `<?${next}>; rel="next"` })
  }
}

const json = (body: object, headers?: Readonly<Record<string, string>>): Response =>
  reply(200, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers })

function gridOf(sampled: Sampled) {
  const startedAt = sampled.startedAt()
  return {
    started_at: startedAt === undefined ? null : new Date(startedAt).toISOString(),
    interval_seconds: sampled.intervalMs / 1_000,
  }
}

function totalsOf(sampled: Sampled) {
  const { grid } = sampled
  return {
    ...gridOf(sampled),
    accepted: grid.values('accepted'),
    ...outcomesOf((name) => grid.values(name)),
    in_flight: grid.values('inFlight'),
  }
}

const topicOf = ({ grid }: Sampled, topic: string) => ({
  topic,
  accepted: grid.values(ofTopic.accepted + topic),
  stored: grid.values(ofTopic.stored + topic),
})

function pageOf(
  { grid }: Sampled,
  pattern: TopicPattern,
  { limit, after = '' }: { readonly limit: number; readonly after?: string | undefined },
) {
  const wanted = [...new Set(Array.from(grid.names, (name) => name.slice(1)))]
    .filter((topic) => topic > after && matches(pattern, topic))
    .sort()
  const topics = wanted.slice(0, limit)
  const last = topics.at(-1)
  if (last === undefined || wanted.length === topics.length) return { topics }
  return { topics, next: new URLSearchParams({ topic: pattern.text, limit: String(limit), after: last }) }
}
