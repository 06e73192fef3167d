import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { repeatsOf, reportTopics, type Workload } from '../../events.ts'
import { startLoad } from '../../load/load.ts'
import { nowMs } from '../../measure/clock.ts'
import { type Processes, startMeter } from '../../measure/processor-time.ts'
import { until } from '../../measure/until.ts'
import type { Measure, Side } from '../../row.ts'
import type { Bench } from '../../system/bench.ts'
import { startServing } from '../../system/program.ts'
import { startNats } from './nats-server.ts'

export interface QueuedOptions {
  /** How many are published in a request, and requests at a time. */
  readonly batch: number
  readonly connections: number
  readonly events: number
}

const duplicates = 0.3
const warmUpEvents = 30_000
const warmUpSingles = 10_000
const programOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** A queue with what its two programs must know of it. */
interface Queue extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>
  readonly processes: Processes
}

/** Events per second through NATS JetStream; see nats-system.ts. */
export const nats = (options: QueuedOptions): Side =>
  queued('nats', programOf('./nats-system.ts'), options, async ({ servers }) => {
    const { url, token, pid, [Symbol.asyncDispose]: stop } = await startNats()
    const env = { NATS_URL: url, NATS_TOKEN: token }
    return { env, processes: { nats: pid, ...servers }, [Symbol.asyncDispose]: stop }
  })

/** Events per second through BullMQ, on the Redis that ours has; see bullmq-system.ts. */
export const bullmq = (options: QueuedOptions): Side =>
  queued('bullmq', programOf('./bullmq-system.ts'), options, async ({ redis, servers }) => ({
    env: { REDIS_URL: redis.url, REDIS_PREFIX: `bullmq${options.batch}` },
    processes: servers,
    [Symbol.asyncDispose]: async () => {},
  }))

/** A door and a consumer of one program with a queue between them, as our gateway and consumers. */
function queued(
  name: string,
  program: string,
  options: QueuedOptions,
  openQueue: (bench: Bench) => Promise<Queue>,
): Side {
  const { batch, connections } = options
  return {
    name,
    open: async (bench) => {
      await using parts = new AsyncDisposableStack()
      const queue = parts.use(await openQueue(bench))
      const databaseUrl = await bench.createDatabase({ migrated: false })
      const env = { ...queue.env, DATABASE_URL: databaseUrl }
      const start = async (role: string) =>
        parts.use(await startServing(bench, `${name}${batch}-${role}`, program, { ...env, ROLE: role }))
      const [consumer, door] = [await start('store'), await start('door')]
      const database = new pg.Client({ connectionString: databaseUrl })
      await database.connect()
      parts.defer(() => database.end())
      const load = parts.use(startLoad())
      const processes = { consumer: consumer.pid, door: door.pid, load: load.pid, ...queue.processes }
      let rows = 0
      const run = async (seed: number, events: number): Promise<Measure> => {
        const workload: Workload = { seed, events, duplicates, topics: reportTopics }
        const wanted = rows + events - repeatsOf(workload)
        await load.prepare({ url: door.url, connections, batch }, workload)
        await bench.checkpoint()
        const stop = startMeter(processes)
        const { startedAt, endedAt } = await load.go()
        // Repeats may end at the queue: what is stored is what tells.
        await until(`${name} has stored all`, bench.signal, async () => {
          return (await countersOf(consumer.url)).stored >= wanted
        })
        const seconds = (nowMs() - startedAt) / 1_000
        const used = stop()
        rows = await countRows(database)
        if (rows !== wanted) throw new Error(`${name} stored ${rows} events of ${wanted}`)
        const also = { 'accepted events/s': (1_000 * events) / (endedAt - startedAt) }
        return { ...used, seconds, value: events / seconds, also }
      }
      await run(0, batch === 1 ? warmUpSingles : warmUpEvents)
      const opened = parts.move()
      return {
        measure: (round) => run(round, bench.scaled(options.events)),
        [Symbol.asyncDispose]: () => opened.disposeAsync(),
      }
    },
  }
}

async function countersOf(url: string): Promise<{ stored: number }> {
  const response = await fetch(`${url}/stats`)
  return (await response.json()) as { stored: number }
}

async function countRows(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ count: string }>('SELECT count(*) FROM processed_events')
  return Number(rows[0]?.count)
}
