/** What this gateway itself has done and holds: counted as it happens, once a request. */

import { phrases } from '@sekali/api/problems'
import type { Metrics } from '@sekali/process/metrics'
import { addPoolMetrics } from '@sekali/process/pool-metrics'
import type { Store } from '@sekali/store/connect'
import type { Pressure } from '../pressure/pressure.ts'
import type { Connections } from '../sockets/connections.ts'
import type { Standby } from '../standby/standby.ts'

export interface OwnDeps {
  readonly connections: Pick<Connections, 'count' | 'tailsCount'>
  readonly store: Store
  readonly pressure: Pick<Pressure, 'state'>
  /** Where there is one. */
  readonly standby: Pick<Standby, 'state'> | undefined
  /** How many events this gateway has brought to Redis. */
  readonly accepted: () => number
}

/** What is to be told of. */
export interface OwnMetrics {
  /** A request was answered with this status. */
  readonly onAnswer: (status: number) => void
}

const statusMax = 599

/** Redis answers in a millisecond, and in a second when it is in trouble. */
const publishBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const forms = ['event', 'batch'] as const

/** Returns what `publish` calls with the seconds from a whole body to its answer. */
export const addPublishMetrics = ({ histogramBy }: Metrics) =>
  histogramBy(
    [
      'sekali_publish_duration_seconds',
      'From the whole body to the answer 200, which says that Redis has the events: of a single event, or an array. Not of streams of lines, and not of those that wait until they are stored.',
    ],
    publishBuckets,
    { name: 'form', values: forms },
  )

export function addOwnMetrics(
  metrics: Metrics,
  { connections, store, pressure, standby, accepted }: OwnDeps,
): OwnMetrics {
  const { read } = metrics
  const answers = new Float64Array(statusMax + 1)
  const usual = [200, 204, ...Object.keys(phrases).map(Number)]
  read(
    'counter',
    ['sekali_http_responses_total', 'Requests that were answered, by status.'],
    () =>
      [...answers.entries()]
        .filter(([status, count]) => count > 0 || usual.includes(status))
        .map(([status, value]) => ({ labels: { status: String(status) }, value })),
    ['status'],
  )
  read(
    'counter',
    ['sekali_published_events_total', 'Events that this gateway has brought to Redis.'],
    accepted,
  )
  read('gauge', ['sekali_connections_open', 'Connections of clients, tails included.'], connections.count)
  read(
    'gauge',
    ['sekali_tails_open', 'Tails that are being served, and pulls that wait.'],
    connections.tailsCount,
  )
  addPressureMetrics(metrics, pressure)
  addStandbyMetrics(metrics, standby)
  addPoolMetrics(metrics, store.pool)
  return {
    onAnswer: (status) => {
      if (status <= statusMax) answers[status] = (answers[status] ?? 0) + 1
    },
  }
}

/** Without samples where there is no standby. */
function addStandbyMetrics({ read }: Metrics, standby: OwnDeps['standby']): void {
  read(
    'gauge',
    ['sekali_standby_used', 'Whether pages, replays and the history of tails come from the standby.'],
    () => standby && Number(standby.state().unfit === undefined),
  )
  read(
    'gauge',
    ['sekali_standby_lag_seconds', 'How far the standby is behind the primary, at most.'],
    () => standby?.state().lag?.seconds,
  )
  read(
    'gauge',
    ['sekali_standby_lag_bytes', "The same in bytes of PostgreSQL's write-ahead log."],
    () => standby?.state().lag?.bytes,
  )
}

/** As this gateway knows it. Which topics are full, `/readyz` and the doctor say: their names would be series without end. */
function addPressureMetrics({ read }: Metrics, pressure: OwnDeps['pressure']): void {
  read(
    'gauge',
    ['sekali_topics_full', 'Topics whose events this gateway refuses (429), because too many are in flight.'],
    () => pressure.state().full.length,
  )
  read(
    'gauge',
    ['sekali_redis_shedding', 'Whether this gateway refuses all events (503), because Redis is nearly full.'],
    () => Number(pressure.state().isShedding),
  )
}
