import type { Broker } from '@sekali/broker/connect'
import { readConsumers } from '@sekali/broker/presence'
import { readStreams } from '@sekali/broker/streams'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readTopics } from '@sekali/store/topics'
import { combineFigures, type Figures } from './figures.ts'
import { reply } from './reply.ts'
import { within } from './within.ts'

export interface StatsDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number
  /** How many events this gateway has brought to Redis. */
  readonly accepted: () => number
}

/**
 * GET /stats. The totals are the system's, exact and lasting; uptime and throughput are this process's alone, the
 * latter being the events it accepted per second since it started. A store that does not answer makes what it
 * knows null; the answer is 200 all the same, in bounded time.
 */
export function stats({ broker, store, log, now, accepted }: StatsDeps, readMs = 1_000) {
  const startedAt = now()
  return async (): Promise<Response> => {
    const presence = within(readMs, log, readConsumers(broker))
    // PostgreSQL before Redis: figures.ts says why.
    const rows = await within(readMs, log, readTopics(store))
    const streams = await within(
      readMs,
      log,
      readStreams(
        broker,
        rows?.map(({ topic }) => topic),
      ),
    )
    const consumers = await presence

    const { totals, topics } = combineFigures(rows, streams)
    const uptimeSeconds = Math.max(now() - startedAt, 1) / 1_000
    const body = {
      performance_metrics: {
        uptime_seconds: round(uptimeSeconds),
        throughput_rps: round(accepted() / uptimeSeconds),
      },
      traffic_stats: {
        total_received_api: totals.accepted,
        duplicates_dropped_consumer: totals.duplicates,
      },
      database_stats: { unique_events_stored: totals.stored },
      totals: onTheWire(totals),
      topics:
        topics?.map((topic) => ({
          topic: topic.topic,
          ...onTheWire(topic),
          head_seq: topic.headSeq,
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
    return reply(200, JSON.stringify(body))
  }
}

function onTheWire({ accepted, stored, duplicates, conflicts, dead, lost, inFlight }: Figures) {
  return { accepted, stored, duplicates, conflicts, dead, lost, in_flight: inFlight }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
