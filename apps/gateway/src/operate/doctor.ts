/**
 * GET /doctor: examines Redis, PostgreSQL, the clocks, the consumers, what is in flight, the projections, the subscriptions
 * and whether keys are asked for. Each finding names its remedy. The gateway examines, because it has the connections: nobody needs a
 * password of a database at their desk. No finding holds a secret or an event's content.
 */
import { readHolders } from '@sekali/broker/backlog'
import { readClock as readBrokerClock } from '@sekali/broker/clock'
import type { Broker } from '@sekali/broker/connect'
import { examineBroker } from '@sekali/broker/doctor'
import { diagnosisOf, type Finding, problem, unknown } from '@sekali/core/finding'
import { troubleOf } from '@sekali/core/trouble'
import type { AuthMode } from '@sekali/process/auth'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { examineStore, readClock as readStoreClock } from '@sekali/store/doctor'
import { readForks } from '@sekali/store/forks'
import { countLiveKeys } from '@sekali/store/keys'
import { countSettled } from '@sekali/store/letters'
import { readNotLoaded } from '@sekali/store/not-loaded'
import { readProjectionWaits } from '@sekali/store/projection-waits'
import { readProjections } from '@sekali/store/read-projections'
import { readJsonTopics } from '@sekali/store/topic-settings'
import type { Context } from 'hono'
import { refusalOfPattern } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { within } from '../clients/deadline.ts'
import { shareReadings } from '../clients/single-flight.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Pressure } from '../pressure/pressure.ts'
import { standbyFindings } from '../standby/finding.ts'
import type { Standby } from '../standby/standby.ts'
import { accessFinding } from './access-finding.ts'
import {
  clockFinding,
  consumerFindings,
  figureFindings,
  lagFinding,
  lastIdFinding,
  sameContentFinding,
} from './findings.ts'
import { createGapSearch } from './gap-search.ts'
import { timelineFinding } from './lineage.ts'
import { gapsFinding, restoredFinding } from './log-findings.ts'
import { readOldestOf } from './oldest.ts'
import { pressureFindings } from './pressure-findings.ts'
import { definitionsFinding, projectionFindings } from './projection-findings.ts'
import type { Readings } from './readings.ts'
import { subscriptionFindings } from './subscription-findings.ts'
import { readSubscriptionsNow } from './subscriptions-now.ts'

export interface DoctorDeps {
  /** Not the one that appends. */
  readonly figuresBroker: Broker
  readonly readings: Readings
  readonly store: Store
  readonly standby: Pick<Standby, 'state'> | undefined
  readonly pressure: Pick<Pressure, 'state'>
  readonly auth: AuthMode
  /** The setting that lets others come in through a proxy, if there is one. */
  readonly proxySetting: string | undefined
  readonly log: Logger
}

/** Topics whose first entry in flight is read: those with most in flight. */
const topicsLookedAtMax = 100
/** Topics that a finding names. */
const topicsNamedMax = 3

export function doctor(
  { figuresBroker: broker, readings, store, standby, pressure, auth, proxySetting, log }: DoctorDeps,
  readMs = 1_500,
) {
  const inTime = <T>(work: Promise<T>) => within(readMs, log, work)
  const searchGaps = createGapSearch(store)
  const diagnose = shareReadings(async () => {
    const all = await Promise.all([
      reach('redis.reachable', 'Redis', brokerAway, examineBroker(broker)),
      reach('postgres.reachable', 'PostgreSQL', storeAway, examineStore(store)),
      timeline(),
      standbyFindings(standby),
      skew('redis.clock', 'Redis', () => inTime(readBrokerClock(broker))),
      skew('postgres.clock', 'PostgreSQL', () => inTime(readStoreClock(store))),
      system(),
      theLog(),
      projections(),
      subscriptions(),
      access(),
    ])
    return JSON.stringify(diagnosisOf(all.flat()))
  })
  return async (c: Context): Promise<Response> => {
    const refused = refusalOfPattern(grantOf(c.env?.incoming), undefined) // it names topics
    return refused === undefined ? reply(200, await diagnose()) : toResponse(refused)
  }

  /** What an examination finds; or why there was none, and what cannot work because of that. */
  async function reach(
    check: string,
    server: 'Redis' | 'PostgreSQL',
    away: string,
    work: Promise<Finding[]>,
  ): Promise<Finding[]> {
    let failure: unknown
    const findings = await within(readMs, log, work, (error) => {
      failure = error
    })
    if (findings !== undefined) return findings
    const { code, what, remedy } = troubleOf(server, failure)
    return [problem(check, `${what} (${code}): ${away}`, remedy)]
  }

  async function timeline(): Promise<Finding> {
    const found = await inTime(timelineFinding(broker, store))
    return found ?? unknown('postgres.timeline', 'cannot be told while a server is away')
  }

  async function system(): Promise<Finding[]> {
    const { topics, totals, consumers, streams } = await readings.read()
    const waiting = (topics ?? [])
      .filter(({ inFlight }) => inFlight !== null && inFlight > 0)
      .sort((a, b) => Number(b.inFlight) - Number(a.inFlight))
      .slice(0, topicsLookedAtMax)
      .map(({ topic }) => topic)
    const holders = await inTime(readHolders(broker, waiting))
    const oldest = await inTime(readOldestOf(broker, store, waiting))
    const nowMs = await inTime(readBrokerClock(broker))
    return [
      ...consumerFindings(consumers, holders, totals.inFlight),
      lagFinding(totals.inFlight, oldest, nowMs),
      lastIdFinding(streams, nowMs),
      ...figureFindings(totals, topics, await inTime(countSettled(store))),
      sameContentFinding(await inTime(readJsonTopics(store, topicsNamedMax))),
      ...pressureFindings(pressure.state()),
    ]
  }

  async function theLog(): Promise<Finding[]> {
    const forked = inTime(readForks(store))
    const gaps = inTime(searchGaps())
    const forks = await forked
    return [restoredFinding(forks && [...forks.values()], Date.now()), gapsFinding(await gaps)]
  }

  async function access(): Promise<Finding> {
    const liveKeys = auth === 'off' ? await inTime(countLiveKeys(store)) : undefined
    return accessFinding(auth, liveKeys, proxySetting)
  }

  async function subscriptions(): Promise<Finding[]> {
    return subscriptionFindings(await inTime(readSubscriptionsNow(store)))
  }

  async function projections(): Promise<Finding[]> {
    const waits = inTime(readProjectionWaits(store))
    const files = inTime(readNotLoaded(store))
    return [
      ...projectionFindings(await inTime(readProjections(store, undefined, false)), await waits),
      definitionsFinding(await files),
    ]
  }
}

/** How far a clock is from ours. The time that the reading took is the uncertainty. */
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

const brokerAway = 'nothing can be published'
const storeAway = 'nothing is stored and nothing can be read; what is published meanwhile waits in Redis'
