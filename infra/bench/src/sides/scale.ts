import { performance } from 'node:perf_hooks'
import { programs } from '@sekali/local/repository'
import { reportTopics } from '../events.ts'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import { until } from '../measure/until.ts'
import type { Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { startServing, startWorking } from '../system/program.ts'
import { startSystem } from '../system/system.ts'

/** What scale-worker.ts is asked to do. It answers with the median of each thing, in milliseconds. */
export interface ScaleRun {
  readonly url: string
  readonly topic: string
  readonly topicId: number
  /** How many events the topic was filled with. */
  readonly events: number
  /** How often each thing is done. */
  readonly times: number
}

const times = 40
const starts = 2
const [topic] = reportTopics

/**
 * How long it takes to read, publish and start with a log of that size. The parts are medians in milliseconds;
 * the value is their sum.
 */
export const scale = (options: { readonly name: string; readonly stored: number }): Side => ({
  name: options.name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const stored = bench.scaled(options.stored)
    const databaseUrl = await bench.filled({ topics: reportTopics, events: stored })
    const { url, env, store, processes } = parts.use(await startSystem(bench, { consumers: 0, databaseUrl }))
    const worker = parts.use(startWorker(new URL('./scale-worker.ts', import.meta.url)))
    const headOf = async () => {
      const { rows } = await store.pool.query('SELECT id, head FROM topics WHERE name = $1', [topic])
      return { topicId: Number(rows[0]?.id), head: Number(rows[0]?.head) }
    }
    const task = {
      url,
      topic,
      topicId: (await headOf()).topicId,
      events: stored / reportTopics.length,
      times,
    }

    const consumer = `${env.REDIS_PREFIX}-consumer`
    const startConsumer = () =>
      startWorking(bench, consumer, programs.consumer, { ...env, CONSUMER_NAME: consumer })
    let consuming = await startConsumer()
    parts.defer(() => consuming.stop())

    /** From its start until it has stored an event that has been waiting for it. */
    const timeConsumer = async () => {
      await consuming.stop()
      const { head } = await headOf()
      await publishOne(url)
      const startedAt = performance.now()
      consuming = await startConsumer()
      await until('the consumer has stored the event', bench.signal, async () => (await headOf()).head > head)
      return performance.now() - startedAt
    }
    await worker.call(task satisfies ScaleRun)
    const opened = parts.move()
    return {
      measure: async () => {
        await bench.checkpoint()
        const stop = startMeter({ ...processes, consumer: consuming.pid, client: worker.pid })
        const also = await worker.call<Record<string, number>>(task satisfies ScaleRun)
        const used = stop() // what starts is nobody whose processor time is counted
        also['start of a gateway'] = await medianOf(() => timeGateway(bench, env))
        also['start of a consumer'] = await medianOf(timeConsumer)
        const value = Object.values(also).reduce((sum, one) => sum + one, 0)
        return { ...used, value, also }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

async function medianOf(time: () => Promise<number>): Promise<number> {
  const took: number[] = []
  for (let start = 0; start < starts; start += 1) took.push(await time())
  return percentile(took, 0.5)
}

/** From its start until /readyz says yes. */
async function timeGateway(bench: Bench, env: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now()
  await using _gateway = await startServing(bench, `${env.REDIS_PREFIX}-start`, programs.gateway, env)
  return performance.now() - startedAt
}

async function publishOne(url: string): Promise<void> {
  const event = {
    topic,
    event_id: crypto.randomUUID(),
    timestamp: new Date().toISOString(),
    source: 'bench',
    payload: {},
  }
  const { status } = await fetch(`${url}/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  })
  if (status !== 200) throw new Error(`POST /publish answered ${status}`)
}
