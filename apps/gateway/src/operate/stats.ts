import { readStats } from '@sekali/api/operate'
import type { Issue } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { outcomesOf } from '@sekali/core/figures'
import { matches, parsePattern, type TopicPatternText } from '@sekali/core/pattern'
import type { Context } from 'hono'
import { refusalOfPattern, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import { createDetails, type DetailsDeps } from './details.ts'
import type { Figures, TopicFigures } from './figures.ts'
import type { Readings } from './readings.ts'
import { type Visible, visibleTo } from './visible.ts'

export interface StatsDeps extends DetailsDeps {
  readonly readings: Readings
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number
  /** How many events this gateway has brought to Redis. */
  readonly accepted: () => number
}

/**
 * GET /stats. The totals are the system's: exact, lasting, and over all topics that the key may see, whichever are on the
 * page. Uptime and throughput are this process's alone; throughput is the events it accepted per second since it
 * started. The answer is always 200, in bounded time: figures of a server that does not answer are null.
 */
export function stats({ readings, now, accepted, ...deps }: StatsDeps) {
  const startedAt = now()
  const details = createDetails(deps)
  return async (c: Context): Promise<Response> => {
    const page = parsePage(new URL(c.req.url).searchParams)
    if (Array.isArray(page)) return problem('invalid_parameters', { errors: page })
    const grant = grantOf(c.env?.incoming)
    const refused = page.topic && refusalOfPattern(grant, parsePattern(page.topic))
    if (refused !== undefined) return toResponse(refused)
    // A page that follows is of the same reading as the first one, as long as that is kept.
    const all = (page.after === undefined ? undefined : readings.kept()) ?? (await readings.read())
    const reading = visibleTo(grant, all)
    const { topics, next } = topicsOf(reading, page)
    const uptimeSeconds = Math.max(now() - startedAt, 1) / 1_000
    const performance = {
      uptime_seconds: round(uptimeSeconds),
      // Of all topics together, and so not for whoever may see some.
      throughput_rps: seesAll(grant) ? round(accepted() / uptimeSeconds) : null,
    }
    const [longestWait, openLetters] = await Promise.all([
      details.longestWait(all, reading),
      details.openLetters(all, grant),
    ])
    const link = next === undefined ? undefined : { Link: `<?${next}>; rel="next"` }
    const body = {
      performance_metrics: performance,
      ...onTheWire(reading, topics),
      oldest_in_flight_seconds: longestWait,
      open_letters: openLetters,
    }
    return reply(200, JSON.stringify(body), { 'Content-Type': 'application/json', ...link })
  }
}

interface Page {
  readonly topic?: TopicPatternText | undefined
  readonly limit: number
  readonly after?: TopicName | undefined
}

function parsePage(query: URLSearchParams): Page | Issue[] {
  const { values, issues } = parseParameters(query, readStats.request.query)
  return values === undefined || issues.length > 0 ? issues : values
}

interface TopicsPage {
  readonly topics: readonly TopicFigures[] | null
  /** The query of the page that follows. */
  readonly next?: URLSearchParams
}

function topicsOf({ topics }: Visible, { topic, limit, after = '' as TopicName }: Page): TopicsPage {
  if (topics === null) return { topics }
  const pattern = topic === undefined ? undefined : parsePattern(topic)
  const wanted = topics.filter(
    (one) => one.topic > after && (pattern === undefined || matches(pattern, one.topic)),
  )
  const page = wanted.slice(0, limit)
  const last = page.at(-1)
  if (last === undefined || wanted.length === page.length) return { topics: page }
  const next = new URLSearchParams({ limit: String(limit), after: last.topic })
  if (topic !== undefined) next.set('topic', topic)
  return { topics: page, next }
}

function onTheWire({ totals, consumers }: Visible, topics: TopicsPage['topics']) {
  return {
    traffic_stats: {
      total_received_api: totals.accepted,
      duplicates_dropped_consumer: droppedOf(totals),
    },
    database_stats: { unique_events_stored: totals.stored },
    totals: figuresOf(totals),
    topics:
      topics?.map((topic) => ({
        topic: topic.topic,
        ...figuresOf(topic),
        head_seq: topic.headSeq,
        epoch: topic.epoch,
        loss_at: topic.lossAt,
      })) ?? null,
    consumers:
      consumers?.map(({ name, startedAt, lastTurnAt, turns }) => ({
        name,
        started_at: startedAt,
        last_turn_at: lastTurnAt,
        turns,
      })) ?? null,
  }
}

/** Whatever came under an id that was taken, as the report counts it: its publisher repeats an id with other content. */
const droppedOf = ({ duplicates, conflicts }: Figures): number | null =>
  duplicates === null || conflicts === null ? null : duplicates + conflicts

function figuresOf({ accepted, inFlight, ...figures }: Figures) {
  return { accepted, ...outcomesOf((name) => figures[name]), in_flight: inFlight }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
