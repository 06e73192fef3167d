/**
 * GET /doctor: looks at Redis, PostgreSQL, the clocks, the consumers, what is in flight and the projections,
 * and says of each finding what to do. It is the gateway that looks, because it has the connections: nobody
 * needs a password of a database at their desk, and no finding holds a secret or an event's content.
 */
import { readHolders, readOldest } from '@sekali/broker/backlog'
import { readClock as readBrokerClock } from '@sekali/broker/clock'
import type { Broker } from '@sekali/broker/connect'
import { examineBroker } from '@sekali/broker/doctor'
import { readConsumers } from '@sekali/broker/presence'
import { readStreams } from '@sekali/broker/streams'
import { diagnosisOf, type Finding, problem, unknown } from '@sekali/core/finding'
import { origin, type Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { examineStore, readClock as readStoreClock } from '@sekali/store/doctor'
import { readHeads } from '@sekali/store/heads'
import { readProjectionWaits } from '@sekali/store/projection-waits'
import { readProjections } from '@sekali/store/read-projections'
import { readTopics } from '@sekali/store/topics'
import { combineFigures } from './figures.ts'
import { clockFinding, consumerFindings, figureFindings, lagFinding } from './findings.ts'
import { projectionFindings } from './projection-findings.ts'
import { reply } from './reply.ts'
import { within } from './within.ts'

export interface DoctorDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
}

/** Topics whose first entry in flight is looked at; they are those with most in flight. */
const topicsLookedAtMax = 100

export function doctor({ broker, store, log }: DoctorDeps, readMs = 1_500) {
  const look = <T>(work: Promise<T>) => within(readMs, log, work)
  return async (): Promise<Response> => {
    const [ofBroker, ofStore, ...others] = await Promise.all([
      look(examineBroker(broker)),
      look(examineStore(store)),
      skew('redis.clock', 'Redis', () => look(readBrokerClock(broker))),
      skew('postgres.clock', 'PostgreSQL', () => look(readStoreClock(store))),
      system(),
      projections(),
    ])
    const findings = [...(ofBroker ?? [brokerAway]), ...(ofStore ?? [storeAway]), ...others.flat()]
    return reply(200, JSON.stringify(diagnosisOf(findings)))
  }

  async function system(): Promise<Finding[]> {
    const presence = look(readConsumers(broker))
    // Before Redis: figures.ts says why.
    const rows = await look(readTopics(store))
    const streams = await look(
      readStreams(
        broker,
        rows?.map(({ topic }) => topic),
      ),
    )
    const { topics, totals } = combineFigures(rows, streams)
    const waiting = (topics ?? [])
      .filter(({ inFlight }) => inFlight !== null && inFlight > 0)
      .sort((a, b) => Number(b.inFlight) - Number(a.inFlight))
      .slice(0, topicsLookedAtMax)
      .map(({ topic }) => topic)
    const consumers = await presence
    const holders = await look(readHolders(broker, waiting))
    const oldest = await look(oldestOf(waiting))
    const nowMs = await look(readBrokerClock(broker))
    return [
      ...consumerFindings(consumers, holders, totals.inFlight),
      lagFinding(totals.inFlight, oldest, nowMs),
      ...figureFindings(totals),
    ]
  }

  async function projections(): Promise<Finding[]> {
    const waits = look(readProjectionWaits(store))
    return projectionFindings(await look(readProjections(store)), await waits)
  }

  async function oldestOf(topics: readonly string[]): Promise<Map<string, number>> {
    const heads = await readHeads(store, topics)
    const positionOf = new Map<string, Position>(heads.map(({ topic, position }) => [topic, position]))
    return await readOldest(
      broker,
      topics.map((topic) => ({ topic, position: positionOf.get(topic) ?? origin })),
    )
  }
}

/** How far a clock is from ours, as far as the time that the question took lets one tell. */
async function skew(
  check: string,
  whose: string,
  readMs: () => Promise<number | undefined>,
): Promise<Finding[]> {
  const askedAt = Date.now()
  const theirs = await readMs()
  const answeredAt = Date.now()
  if (theirs === undefined) return [unknown(check, `${whose} does not tell its time`)]
  return [clockFinding(check, whose, theirs - (askedAt + answeredAt) / 2, (answeredAt - askedAt) / 2)]
}

const brokerAway = problem(
  'redis.reachable',
  'Redis does not answer: nothing can be published',
  'start it, or see whether REDIS_URL of the gateway leads to it',
)

const storeAway = problem(
  'postgres.reachable',
  'PostgreSQL does not answer: nothing is stored and nothing can be read',
  'start it, or see whether DATABASE_URL of the gateway leads to it; what is published meanwhile waits in Redis',
)
