/**
 * What there is in the system as a whole, read at each scrape from what `/stats`, `/doctor`, `/projections` and
 * `/subscriptions` read. Every gateway reports the same, so a query takes the maximum over gateways and not the sum.
 */
import type { Broker } from '@sekali/broker/connect'
import { readSettings, type Settings } from '@sekali/broker/settings'
import { outcomeNames } from '@sekali/core/figures'
import type { Logger } from '@sekali/process/log'
import type { Metrics, Sample } from '@sekali/process/metrics'
import type { Store } from '@sekali/store/connect'
import { readProjectionWaits } from '@sekali/store/projection-waits'
import { type ProjectionStatus, readProjections } from '@sekali/store/read-projections'
import { within } from '../clients/deadline.ts'
import { longestWait, readWaits } from '../operate/oldest.ts'
import type { Readiness } from '../operate/readiness.ts'
import type { Reading, Readings } from '../operate/readings.ts'
import { readSubscriptionsNow, type SubscriptionsNow } from '../operate/subscriptions-now.ts'
import { addSubscriptions } from './subscriptions.ts'
import { type TopicSamples, topicSamples, topicsNow } from './topics.ts'

export interface SystemDeps {
  readonly readings: Readings
  readonly readiness: Readiness
  /** Not the one that appends. */
  readonly figuresBroker: Broker
  readonly store: Store
  readonly log: Logger
}

/** A scrape answers within this time and the next: Prometheus gives up after 10 s. */
const readingMsMax = 4_000
const detailsMsMax = 2_000

/** What one scrape has read; undefined is what could not be read in time. */
interface Scraped {
  readonly reading: Reading | undefined
  readonly topics: Topics | undefined
  readonly settings: Settings | undefined
  readonly projections: readonly ProjectionStatus[] | undefined
  readonly waits: ReadonlyMap<string, number> | undefined
  readonly subscriptions: SubscriptionsNow | undefined
  readonly isReady: boolean | undefined
}

interface Topics {
  readonly samples: TopicSamples
  /** For how long the entry that waits longest has waited, in seconds. */
  readonly longest: number | null
}

/** `topicsMax` is for how many topics there are figures of their own. */
export function addSystemMetrics(metrics: Metrics, deps: SystemDeps, topicsMax = 100): void {
  let scraped: Scraped | undefined
  metrics.beforeScrape(async () => {
    scraped = await scrape(deps, topicsMax)
  })
  addFigures(metrics, () => scraped?.reading)
  addTopics(metrics, () => scraped)
  addRedis(metrics, () => scraped?.settings)
  addProjections(metrics, () => scraped)
  addSubscriptions(metrics, () => scraped?.subscriptions)
  metrics.read('gauge', ['sekali_ready', 'Whether this gateway can take events, as /readyz says.'], () =>
    numberOf(scraped?.isReady),
  )
}

async function scrape(
  { readings, readiness, figuresBroker, store, log }: SystemDeps,
  topicsMax: number,
): Promise<Scraped> {
  const inTime = <T>(ms: number, work: Promise<T>) => within(ms, log, work)
  const system = async () => {
    const reading = await inTime(readingMsMax, readings.read())
    if (!reading?.topics) return { reading, topics: undefined }
    const waits = await readWaits({ figuresBroker, store, log }, reading.topics, detailsMsMax)
    const samples = await topicSamples(await topicsNow(reading.topics, waits), topicsMax)
    return { reading, topics: { samples, longest: longestWait(reading.topics, waits) } }
  }
  const [figures, settings, projections, waits, subscriptions, fitness] = await Promise.all([
    system(),
    inTime(detailsMsMax, readSettings(figuresBroker)),
    inTime(detailsMsMax, readProjections(store, undefined, false)),
    inTime(detailsMsMax, readProjectionWaits(store)),
    inTime(detailsMsMax, readSubscriptionsNow(store)),
    inTime(detailsMsMax, readiness.check()),
  ])
  const isReady = fitness && fitness.problems.length === 0
  return { ...figures, settings, projections, waits, subscriptions, isReady }
}

const numberOf = (is: boolean | undefined): number | undefined => (is === undefined ? undefined : Number(is))

function addFigures({ read }: Metrics, reading: () => Reading | undefined): void {
  read('counter', ['sekali_events_accepted_total', 'Events that Redis has taken, by all gateways.'], () => {
    return reading()?.totals.accepted
  })
  read(
    'counter',
    [
      'sekali_events_total',
      'What came of accepted events. All outcomes and what is in flight add up to those accepted.',
    ],
    () => outcomeNames.map((name) => ({ labels: { outcome: name }, value: reading()?.totals[name] })),
    ['outcome'],
  )
  read('gauge', ['sekali_events_in_flight', 'Events that are accepted and not accounted for yet.'], () => {
    return reading()?.totals.inFlight
  })
  read('gauge', ['sekali_topics', 'How many topics there are.'], () => reading()?.topics?.length)
  read('gauge', ['sekali_consumers', 'Consumers that are at work.'], () => reading()?.consumers?.length)
  read('gauge', ['sekali_redis_reachable', 'Whether Redis could be read for this scrape.'], () =>
    numberOf(reading() && reading()?.streams !== undefined),
  )
  read('gauge', ['sekali_postgres_reachable', 'Whether PostgreSQL could be read for this scrape.'], () =>
    numberOf(reading() && reading()?.totals.stored !== null),
  )
}

function addTopics({ read }: Metrics, scraped: () => Scraped | undefined): void {
  read(
    'gauge',
    ['sekali_oldest_in_flight_seconds', 'For how long the event that waits longest to be stored has waited.'],
    () => {
      const { reading, topics } = scraped() ?? {}
      // Without Redis, topics that are new are not among those that are known.
      return topics && reading?.totals.inFlight !== null ? topics.longest : undefined
    },
  )
  const samples = (figure: keyof TopicSamples) => () => scraped()?.topics?.samples[figure] ?? []
  const labels = ['topic']
  read('gauge', ['sekali_topic_head_seq', 'The last number of a topic.'], samples('head'), labels)
  read(
    'gauge',
    ['sekali_topic_events_in_flight', 'The same of a topic; _other are those without a series of their own.'],
    samples('inFlight'),
    labels,
  )
  read(
    'gauge',
    ['sekali_topic_oldest_in_flight_seconds', 'The same of a topic; _other is the longest of the others.'],
    samples('oldestSeconds'),
    labels,
  )
}

function addRedis({ read }: Metrics, settings: () => Settings | undefined): void {
  read('gauge', ['sekali_redis_memory_used_bytes', 'What Redis uses.'], () => settings()?.memoryBytes)
  read('gauge', ['sekali_redis_memory_max_bytes', 'What it may use; 0 is no limit.'], () => {
    return settings()?.memoryBytesMax
  })
  read('gauge', ['sekali_redis_memory_ratio', 'The share of it that is used; none without a limit.'], () => {
    const { memoryBytes, memoryBytesMax } = settings() ?? {}
    return memoryBytes === undefined || !memoryBytesMax ? undefined : memoryBytes / memoryBytesMax
  })
  read(
    'gauge',
    ['sekali_redis_last_write_ok', 'Whether its last write to its append-only file, with fsync, succeeded.'],
    () => {
      const last = settings()?.lastWrite
      return last === undefined ? undefined : Number(last === 'ok')
    },
  )
}

function addProjections({ read }: Metrics, scraped: () => Scraped | undefined): void {
  const samples = (figureOf: (one: ProjectionStatus, found: Scraped) => number | undefined): Sample[] => {
    const found = scraped()
    return (found?.projections ?? []).map((one) => ({
      labels: { projection: one.name },
      value: found && figureOf(one, found),
    }))
  }
  const labels = ['projection']
  read(
    'gauge',
    ['sekali_projection_lag_events', 'Events that a projection has yet to fold.'],
    () => samples(({ lag }) => lag),
    labels,
  )
  read(
    'gauge',
    [
      'sekali_projection_lag_seconds',
      'How long the oldest event that a projection has yet to fold has been stored. Unknown while it is being built or has failed.',
    ],
    () =>
      samples(({ name, status }, { waits }) => {
        if (waits === undefined || status !== 'live') return undefined
        return (waits.get(name) ?? 0) / 1_000
      }),
    labels,
  )
  read(
    'gauge',
    ['sekali_projection_failed', 'Whether a projection has stopped at an event that it cannot fold.'],
    () => samples(({ status, error }) => Number(status === 'failed' || error !== undefined)),
    labels,
  )
}
