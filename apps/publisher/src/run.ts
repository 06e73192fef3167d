import process from 'node:process'
import type { Client } from '@sekali/client/client'
import type { Progress } from '@sekali/process/progress'
import { repeatsOf } from './arguments.ts'
import { type Balance, balance, n } from './balance/balance.ts'
import { type KnownByTopic, totalOf } from './balance/figures.ts'
import { isIdle, waitForFigures } from './balance/wait-for-figures.ts'
import { publishAll, type Sent } from './load/publish.ts'
import { sendings } from './load/workload.ts'
import type { Options } from './options.ts'
import type { Result } from './report.ts'

export interface Tools {
  readonly client: Client
  readonly progress: Progress
  readonly signal: AbortSignal
  /** Prints a line for the operator. */
  readonly report: (line: string) => void
}

// How long to wait until nothing is in flight: a backlog would be stored during the run, and counted as the run's.
// Under steady traffic it never ends, and then the figures show it.
const quietMs = 10_000

/** Waits for the gateway, publishes the workload, waits until all of it is accounted for, and adds up. */
export async function runWorkload(options: Options, sent: Sent, tools: Tools): Promise<Result> {
  const { client, progress, signal } = tools
  await client.waitUntilReady({ deadlineMs: options.readySeconds * 1_000, signal })
  const before = await figuresBefore(options, tools)

  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  progress.stage('publishing', options.events)
  const failure = await publish(options, sent, tools)
  const publishSeconds = secondsSince(startedAt)
  const { user, system } = process.cpuUsage(cpuBefore)
  const publishCpuSeconds = (user + system) / 1e6

  progress.stage('storing', sent.total)
  const { figures: after, inFlightThen } = await figuresAfter(before, options, sent, tools)
  const seconds = secondsSince(startedAt)

  const outcome = balance({ sent, before, after, seedIsFresh: options.seedIsFresh })
  return {
    options,
    balance: withFailure(outcome, failure),
    retries: sent.retries,
    publishSeconds,
    publishCpuSeconds,
    inFlightThen,
    seconds,
  }
}

async function figuresBefore({ topics }: Options, { client, signal, report }: Tools): Promise<KnownByTopic> {
  const { figures, inTime } = await waitForFigures(client, topics, isIdle, { deadlineMs: quietMs, signal })
  if (figures === undefined) throw new Error(`/stats did not know its figures for ${quietMs / 1_000} s`)
  if (!inTime) report('warning: something was in flight before the run began; that is in the figures too')
  return figures
}

/** What ended the publishing early, in words; undefined if everything was published. */
async function publish(options: Options, sent: Sent, tools: Tools): Promise<string | undefined> {
  const work = sendings({ ...options, repeats: repeatsOf(options) })
  const onSent = tools.progress.update
  try {
    await publishAll(tools.client, work, {
      concurrency: options.concurrency,
      sent,
      signal: tools.signal,
      onSent,
    })
    return undefined
  } catch (error) {
    tools.signal.throwIfAborted()
    // The rest is still waited for and added up: what became of it is what one wants to know now.
    return `${events(options.events - sent.total)} not published: ${messageOf(error)}`
  }
}

async function figuresAfter(before: KnownByTopic, options: Options, sent: Sent, tools: Tools) {
  const { client, progress, signal } = tools
  const grown = (figures: KnownByTopic, topic: string) =>
    (figures.get(topic)?.accepted ?? 0) - (before.get(topic)?.accepted ?? 0)
  const isAccountedFor = (figures: KnownByTopic) =>
    isIdle(figures) && [...sent.byTopic].every(([topic, sentTo]) => grown(figures, topic) >= sentTo.sent)

  const done = (figures: KnownByTopic) => totalOf(figures).accepted - totalOf(figures).in_flight
  let inFlightThen: number | null = null
  const { figures = before } = await waitForFigures(client, options.topics, isAccountedFor, {
    deadlineMs: options.drainSeconds * 1_000,
    signal,
    onFigures: (figures) => {
      inFlightThen ??= totalOf(figures).in_flight
      progress.update(Math.min(sent.total, done(figures) - done(before)))
    },
  })
  return { figures, inFlightThen }
}

function withFailure(outcome: Balance, failure: string | undefined): Balance {
  return failure === undefined ? outcome : { ...outcome, problems: [failure, ...outcome.problems] }
}

const events = (count: number) => (count === 1 ? '1 event was' : `${n(count)} events were`)

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
