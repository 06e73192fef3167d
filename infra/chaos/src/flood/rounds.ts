/**
 * One topic of four floods: batches of 500, three times what consumers can take, while the other three get a quarter of it
 * each. Every round measures the same others first without the flood, when its topic gets a quarter as well.
 *
 * Consumers reach a PostgreSQL that is slow: where all share a machine, nobody could send three times what they take
 * otherwise, and what others noticed would be the want of processor time.
 */
import { openDoor } from '../clients/door.ts'
import { pause, until } from '../clock.ts'
import type { Extra, TargetWith } from '../targets/target.ts'
import { awaitDrained, countMissing, countStored } from './books.ts'
import { startSender } from './sender.ts'
import { batchEvents, type Sent, type Stream } from './streams.ts'
import { eventsOf, p99Of, type Round, refusalsOf } from './verdict.ts'

type FloodTarget = TargetWith<'extras' | 'sql' | 'addresses' | 'proxies'>

const flooded = 'flood.one'
const others = ['flood.two', 'flood.three', 'flood.four']
const topics = [flooded, ...others]
const share = 1 / topics.length
const times = 3

const floodConnections = 16
const connectionsEach = 8
const lowPriority = 5
const arrearsMsMax = 1_000
const quietSecondsMax = 60
const warmUpSecondsMax = 10
const patienceMs = 120_000
/** Of each topic, so that what consumers leave over while they are measured is soon gone. */
const calibrationBacklog = 3_000

export interface FloodOptions {
  readonly seconds: number
  readonly rounds: number
  /** What a topic may have in flight, as seconds of what consumers can take of it. */
  readonly backlogSeconds: number
  /** How much later everything between consumers and PostgreSQL arrives, each way. */
  readonly delayMs: number
}

interface Site {
  readonly target: FloodTarget
  readonly url: string
  readonly signal: AbortSignal
  /** What the senders are called; counts on. */
  senders: number
}

export async function floodInRounds(
  target: FloodTarget,
  { seconds, rounds, backlogSeconds, delayMs }: FloodOptions,
  signal: AbortSignal,
  report: (what: string) => void,
): Promise<{ readonly rounds: readonly Round[]; readonly sustainable: number; readonly offered: number }> {
  target.proxies['consumer-postgres'].delay(delayMs)
  const sustainable = await withGateway(target, bounded(calibrationBacklog), signal, (site) =>
    measureSustainable(site, seconds),
  )
  // Consumers take turns of a topic one after the other, so of one alone they take no more than of one of four.
  const backlog = Math.ceil(sustainable * share * backlogSeconds)
  report(`consumers take ${sustainable.toFixed()} events/s; a topic may have ${backlog} in flight`)
  const done: Round[] = []
  await withGateway(target, bounded(backlog), signal, async (site) => {
    // A gateway that has just begun is slower.
    await measureQuiet(site, sustainable, Math.min(seconds, warmUpSecondsMax))
    while (done.length < rounds && !signal.aborted) {
      const round = await measureRound(site, sustainable, seconds)
      done.push(round)
      report(`round ${done.length}: ${JSON.stringify(round)}`)
    }
  })
  return { rounds: done, sustainable, offered: times * sustainable }
}

const bounded = (events: number) => ({ BACKLOG_EVENTS_MAX: String(events) })

/** While a gateway of our own serves. */
async function withGateway<T>(
  target: FloodTarget,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
  work: (site: Site) => Promise<T>,
): Promise<T> {
  const gateway: Extra & { readonly url: string } = await target.extras.startGateway(env)
  try {
    return await work({ target, url: gateway.url, signal, senders: 0 })
  } finally {
    gateway.signal('SIGTERM')
    await gateway.exited
  }
}

/**
 * What consumers can take, in events a second: what they store while as much is published as the gateway answers, as
 * publishing takes processor time as well where all share a machine.
 */
async function measureSustainable(site: Site, seconds: number): Promise<number> {
  const { target, signal } = site
  const streams = topics.map((topic): Stream => ({ topic, connections: 1 }))
  await using sender = start(site, { streams, isFlood: true })
  const hasBegun = async () => (await countStored(target.sql, topics)) > 0
  if (!(await until(hasBegun, patienceMs, signal))) throw new Error('consumers store nothing')
  const [before, since] = [await countStored(target.sql, topics), performance.now()]
  await pause(Math.min(seconds, quietSecondsMax / 4) * 1_000, signal)
  const stored = (await countStored(target.sql, topics)) - before
  const rate = stored / ((performance.now() - since) / 1_000)
  await sender.finish()
  await drain(site)
  return rate
}

const ordinaryOf = (sustainable: number): readonly Stream[] =>
  others.map((topic) => ({ topic, eventsPerSecond: sustainable * share, connections: connectionsEach }))

/** A publisher of the topic that floods, at this rate. */
const sideOf = (eventsPerSecond: number, isFlood: boolean): SideOptions => ({
  streams: [{ topic: flooded, eventsPerSecond, connections: floodConnections }],
  isFlood,
})

/** All four topics get a quarter. Resolves once all has drained. */
async function measureQuiet(site: Site, sustainable: number, seconds: number): Promise<Measured> {
  const measured = await measure(site, ordinaryOf(sustainable), sideOf(sustainable * share, false), seconds)
  await drain(site)
  return measured
}

async function measureRound(site: Site, sustainable: number, seconds: number): Promise<Round> {
  const quiet = await measureQuiet(site, sustainable, Math.min(seconds, quietSecondsMax))
  const beside = await measure(site, ordinaryOf(sustainable), sideOf(times * sustainable, true), seconds)
  const recoveredMs = await recover(site)
  const missing = [quiet, beside].map((one) => one.missing)
  return {
    quietMs: p99Of(quiet.ordinary),
    floodMs: p99Of(beside.ordinary),
    offered: eventsOf(beside.flood, ({ batches }) => batches) / beside.seconds,
    taken: eventsOf(beside.flood, ({ taken }) => taken.length) / beside.seconds,
    quietRefused: refusalsOf(quiet.ordinary),
    othersRefused: refusalsOf(beside.ordinary),
    missing: (await Promise.all(missing.map((count) => count()))).reduce((sum, one) => sum + one, 0),
    lost: (await readTotals(site)).lost ?? 0,
    recoveredMs,
  }
}

interface SideOptions {
  readonly streams: readonly Stream[]
  readonly isFlood: boolean
}

interface Measured {
  readonly ordinary: readonly Sent[]
  readonly flood: readonly Sent[]
  readonly seconds: number
  /** Counts what was answered with yes and is not stored. Call it once all has drained. */
  readonly missing: () => Promise<number>
}

async function measure(
  site: Site,
  streams: readonly Stream[],
  side: SideOptions,
  seconds: number,
): Promise<Measured> {
  await using ordinary = start(site, { streams, isFlood: false })
  await using flood = start(site, side)
  const since = performance.now()
  await pause(seconds * 1_000, site.signal)
  const took = (performance.now() - since) / 1_000
  const [sent, flooding] = await Promise.all([ordinary.finish(), flood.finish()])
  const missing = async () => {
    const { sql } = site.target
    return (await countMissing(sql, ordinary.run, sent)) + (await countMissing(sql, flood.run, flooding))
  }
  return { ordinary: sent, flood: flooding, seconds: took, missing }
}

/** A flood comes from an address of its own, and needs no processor of ours in truth. */
function start(site: Site, { streams, isFlood }: SideOptions) {
  const { target, url } = site
  site.senders++
  const run = `f${Date.now().toString(36)}x${site.senders}`
  const [address = '127.0.0.1'] = target.addresses
  const place = isFlood
    ? { localAddress: address, priority: lowPriority, arrearsMsMax }
    : { localAddress: '127.0.0.1', priority: 0 }
  return { run, ...startSender({ url, run, streams, ...place }, target.keyNow?.()) }
}

/** From now until nothing is in flight, and the topic that was flooded takes and stores events again. */
async function recover(site: Site): Promise<number | undefined> {
  const since = performance.now()
  const { sql } = site.target
  if ((await drain(site, false)) === undefined) return undefined
  const before = await countStored(sql, [flooded])
  await using probe = start(site, {
    streams: [{ topic: flooded, eventsPerSecond: batchEvents, connections: 1 }],
    isFlood: false,
  })
  const takes = await until(async () => (await countStored(sql, [flooded])) > before, patienceMs, site.signal)
  const recoveredMs = performance.now() - since
  await probe.finish()
  await drain(site)
  return takes ? recoveredMs : undefined
}

async function drain(site: Site, isNeeded = true): Promise<number | undefined> {
  const ms = await awaitDrained(() => readTotals(site), patienceMs, site.signal)
  if (ms === undefined && isNeeded && !site.signal.aborted) throw new Error('a load of before does not drain')
  return ms
}

async function readTotals({ url, target }: Site) {
  await using door = openDoor(url, 1, target.keyNow)
  const { body } = await door.get('/stats')
  return (JSON.parse(body) as { totals: { in_flight: number | null; lost: number | null } }).totals
}
