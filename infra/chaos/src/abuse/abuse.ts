/**
 * One client takes all it can while an ordinary one goes about its work. The ordinary one is measured before, during and
 * after; when it and all that is in flight are as they were, it is over.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import {
  type AbuseFigures,
  backMsMax,
  boundMs,
  countsOf,
  type Latencies,
  latenciesOf,
  operations,
} from '../check/abuse-verdict.ts'
import { type Door, openDoor } from '../clients/door.ts'
import { until } from '../clock.ts'
import type { FaultContext } from '../fault.ts'
import { partOf } from '../inject/parts.ts'
import { type OrdinaryClient, startOrdinary } from './ordinary.ts'
import { prepareTopics } from './prepare.ts'

type Context = FaultContext<'processes'>

const startMs = 30_000
const warmUpMs = 1_000
const quietMs = 3_000
const stepMs = 200

const nowMs = () => performance.timeOrigin + performance.now()

export interface Abuse {
  readonly fault: string
  /** What the attack needs to find. */
  prepare?(): Promise<void>
  /** Resolves once the attackers are at it. */
  begin(): Promise<UnderWay>
}

/**
 * What the ordinary client needs when nobody is in its way. Rejects when it does not get to work, or is refused as it is:
 * there is nothing to be told from what it notices then.
 */
async function awaitQuiet({ pause }: Context, { samples }: OrdinaryClient): Promise<Latencies> {
  const isAtWork = () => operations.every((one) => samples.some(({ operation }) => operation === one))
  if (!(await until(isAtWork, startMs))) throw new Error('the ordinary client did not get to work')
  await pause(warmUpMs)
  for (const endsAt = nowMs() + startMs; nowMs() < endsAt; ) {
    const from = nowMs()
    await pause(quietMs)
    const isRefused = samples.some(({ at, refusal }) => at >= from && refusal !== undefined)
    if (!isRefused) return latenciesOf(samples, from, nowMs())
  }
  throw new Error('others are refused without it')
}

export interface UnderWay {
  /** Resolves with what the attackers were answered. */
  readonly over: Promise<AbuseFigures['answers']>
}

export async function underAbuse(context: Context, { fault, prepare, begin }: Abuse): Promise<AbuseFigures> {
  const { target } = context
  await using door = openDoor(target.quietUrl, 2, target.keyNow)
  await prepareTopics(door)
  await prepare?.()
  await using ordinary = startOrdinary(target.quietUrl, target.keyNow?.())
  const quiet = await awaitQuiet(context, ordinary)
  const underWay = await begin()
  const [from, memory] = [nowMs(), watchMemory(context)]
  const answers = await underWay.over
  const endedAt = nowMs()
  const back = await awaitOrdinary(context, door, ordinary, quiet, endedAt)
  const rssKb = await memory.stop()
  await ordinary.finish()
  const during = ordinary.samples.filter(({ at }) => at >= from && at < endedAt)
  return {
    ...{ fault, quiet, answers, rssKb, ...back },
    abused: latenciesOf(ordinary.samples, from, endedAt),
    count: during.length,
    refused: countsOf(during.flatMap(({ refusal }) => refusal ?? [])),
  }
}

const program = fileURLToPath(new URL('attack-worker.ts', import.meta.url))
const attackSeconds = 8
const patienceMs = 10_000

/** Starts the attackers; resolves once they are at it. */
export async function startAttack(
  { target, report }: FaultContext<'addresses'>,
  name: string,
): Promise<UnderWay> {
  const [address = ''] = target.addresses
  const args = [name, target.quietUrl, address, String(attackSeconds)]
  const child = fork(program, args, {
    execArgv: ['--max-old-space-size=1024'],
    env: { PATH: process.env.PATH, SEKALI_TOKEN: target.keyNow?.() },
  })
  const over = once(child, 'exit').then(([code]) => {
    clearTimeout(tooLate)
    if (code !== 0) report(`the attackers of ${name} ended with ${code ?? 'a signal'}`)
    return answers
  })
  let tooLate = setTimeout(() => child.kill('SIGKILL'), startMs)
  let answers: AbuseFigures['answers'] = {}
  const begun = await Promise.race([once(child, 'message'), over])
  if (!Array.isArray(begun)) throw new Error(`the attackers of ${name} did not get to work`)
  clearTimeout(tooLate)
  tooLate = setTimeout(() => child.kill('SIGKILL'), attackSeconds * 1_000 + patienceMs)
  child.on('message', (said: AbuseFigures['answers']) => {
    answers = said
  })
  return { over }
}

function watchMemory({ target: { processes } }: Context): { stop(): Promise<number> } {
  let most = 0
  let watching = true
  const sample = async () => {
    while (watching) {
      const used = await partOf(processes, 'gateway')
        .then((gateway) => processes.memoryKb(gateway))
        .catch(() => undefined)
      most = Math.max(most, used ?? 0)
      await new Promise((resolve) => setTimeout(resolve, stepMs))
    }
  }
  const sampling = sample()
  return {
    stop: async () => {
      watching = false
      await sampling
      return most
    },
  }
}

const windowMs = 1_000
/** Of some 75 operations a second, that the ordinary client is not just waiting. */
const countMin = 40
/** What a second of the load brings may be under way. */
const inFlightMax = 300

async function awaitOrdinary(
  { pause }: Context,
  door: Door,
  { samples }: OrdinaryClient,
  quiet: Latencies,
  since: number,
): Promise<{ backMs: number | undefined; left: string }> {
  let left = 'nothing could be asked'
  for (const endsAt = since + 3 * backMsMax + windowMs; nowMs() < endsAt; await pause(stepMs)) {
    const from = nowMs() - windowMs
    if (from < since) continue
    const late = samples.filter(({ at, ms }) => at + ms >= from)
    const slow = late.find(({ operation, ms, refusal }) => refusal || ms > boundMs(quiet[operation]))
    const missing = operations.find((operation) => !late.some((one) => one.operation === operation))
    if (slow)
      left = `${slow.operation} took ${slow.ms.toFixed()} ms${slow.refusal ? `: ${slow.refusal}` : ''}`
    else if (missing || late.length < countMin) left = `${late.length} operations a second, no ${missing}`
    else {
      const flying = await readInFlight(door)
      if (flying !== undefined && flying <= inFlightMax) return { backMs: from - since, left: '' }
      left = `${flying ?? 'an unknown number'} in flight`
    }
  }
  return { backMs: undefined, left }
}

async function readInFlight(door: Door): Promise<number | undefined> {
  const { status, body } = await door.get('/stats').catch(() => ({ status: 0, body: '' }))
  if (status !== 200) return undefined
  return (JSON.parse(body) as { totals: { in_flight: number | null } }).totals.in_flight ?? undefined
}
