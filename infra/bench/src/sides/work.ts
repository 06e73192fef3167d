import { startWorker, type Worker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Measure, Side } from '../row.ts'
import type { Log } from '../system/fill.ts'
import { type System, startSystem } from '../system/system.ts'

/** What work-worker.ts is asked to do. */
export interface WorkRun {
  readonly url: string
  readonly subscription: string
  /** Events in a pull, at most. */
  readonly max: number
}

/** What one worker has done, times on the machine's monotonic clock. */
export interface Worked {
  readonly startedAt: number
  /** When its last settle was answered. */
  readonly endedAt: number
  readonly events: number
  readonly batches: number
}

/** What a subscription is made with, beside its topics. */
export type WorkConfig = Readonly<Record<string, string | number>>

export interface WorkOptions {
  readonly name: string
  readonly log: Log
  readonly config: WorkConfig
}

export const workers = 4
export const batchEvents = 500

/** How many there were: sides share databases. */
let subscriptions = 0

/** Events a second that workers pull and settle, of a log that is there when they begin: a subscription each round. */
export const work = (options: WorkOptions): Side => ({
  name: options.name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const { log, config } = options
    const events = bench.scaled(log.events / log.topics.length) * log.topics.length
    const databaseUrl = await bench.filled({ ...log, events })
    const system = parts.use(await startSystem(bench, { consumers: 1, databaseUrl }))
    const pool = openWorkers(parts, workers)
    const run = async (): Promise<Measure> => {
      subscriptions += 1
      const subscription = `work-${subscriptions}`
      await subscribe(system, subscription, { topics: '>', from: 'start', ...config })
      await bench.checkpoint()
      return await drain(system, pool, { subscription, events, max: batchEvents })
    }
    await run() // the warm-up
    const opened = parts.move()
    return { measure: run, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  },
})

/** Processes that work when they are told to. */
export const openWorkers = (parts: AsyncDisposableStack, count: number): Worker[] =>
  Array.from({ length: count }, () => parts.use(startWorker(new URL('./work-worker.ts', import.meta.url))))

/** Makes a subscription; its window has two batches for each worker. Throws unless it is a new one. */
export async function subscribe({ url }: System, name: string, config: WorkConfig): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ kind: 'pull', outstanding_max: 2 * workers * batchEvents, ...config })
  const answer = await fetch(`${url}/subscriptions/${name}`, { method: 'PUT', headers, body })
  if (answer.status !== 201) {
    throw new Error(`PUT /subscriptions/${name} answered ${answer.status}: ${await answer.text()}`)
  }
}

export interface Drain {
  readonly subscription: string
  /** How many there are to do. */
  readonly events: number
  readonly max: number
}

/** All workers work until nothing is left. Throws unless each event was settled once. */
export async function drain(
  system: System,
  pool: readonly Worker[],
  { subscription, events, max }: Drain,
): Promise<Measure> {
  const pids = Object.fromEntries(pool.map(({ pid }, index) => [`worker ${index + 1}`, pid]))
  const stop = startMeter({ ...system.processes, ...pids })
  const task: WorkRun = { url: system.url, subscription, max }
  const worked = await Promise.all(pool.map((worker) => worker.call<Worked>(task)))
  const used = stop()
  const done = sumOf(worked, 'events')
  if (done !== events) throw new Error(`${events} events were there, and ${done} were settled`)
  const busy = worked.filter((one) => one.events > 0)
  const startedAt = Math.min(...worked.map((one) => one.startedAt))
  const seconds = (Math.max(...busy.map(({ endedAt }) => endedAt)) - startedAt) / 1_000
  const also = { 'events a batch': events / sumOf(worked, 'batches') }
  return { ...used, seconds, value: events / seconds, also }
}

const sumOf = (worked: readonly Worked[], name: 'events' | 'batches'): number =>
  worked.reduce((sum, one) => sum + one[name], 0)
