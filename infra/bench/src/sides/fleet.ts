import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { programs } from '@sekali/local/repository'
import { startRedis } from '@sekali/servers/redis-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { waitUntil } from '@sekali/servers/wait-until'
import { Redis } from 'ioredis'
import type { Pool } from 'undici'
import { openPool } from '../load/pool.ts'
import { nowMs } from '../measure/clock.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { type Served, startServing } from '../system/program.ts'
import { type System, startSystem } from '../system/system.ts'

const topics = Array.from({ length: 16 }, (_, index) => `fleet-${index}`)
const windows = 16
const publishesAWindow = 48
const lookMs = 5
const storedMs = 60_000
/** Then what follows a turn's COMMIT is over, too. */
const afterMs = 5
/** Then what follows a window is over: a deputy's look at its topics, and a gateway's at Redis's memory. */
const quietMs = 500
const idleMs = 500
/** Until those who came last are known to all, and what was published is acknowledged. */
const settleMs = 3_000
const startedAtOnce = 4

/**
 * How many publishes of one event a second of Redis's processor time is enough for, and 1,000 of its writes to clients, turns
 * included, with so many gateways and consumers. What the processes cost while nothing happens is measured between, and does not count.
 *
 * - One event at a time, and the next when that one is stored: each has a message, a script, a ring and a turn of its own. At
 *   a pace of the clock's, consumers that are all woken for each event fill a machine of few cores, events pile up and go
 *   together, and what wakes everybody comes out cheaper the more there are.
 * - One gateway at a time, for a window of publishes: what each gateway asks a few times a second while events come through
 *   it is the price of a gateway, and would count for the more publishes the faster the machine is.
 * - On a Redis of its own, because the other side's processes are there meanwhile.
 */
export const fleet = (options: {
  readonly name: string
  readonly gateways: number
  readonly consumers: number
}): Side => ({
  name: options.name,
  open: async (shared) => {
    await using parts = new AsyncDisposableStack()
    const folder = parts.use(await temporaryFolder('sekali-fleet-'))
    const own = { ...shared, redis: parts.use(await startRedis({ dir: join(folder.path, 'redis') })) }
    const bench: Bench = { ...own, servers: { ...shared.servers, redis: own.redis.pid } }
    const system = parts.use(await startSystem(bench, { consumers: options.consumers }))
    const more = await startGateways(bench, system, options.gateways - 1, parts)
    const pools = [system.url, ...more.map(({ url }) => url)].map((url) => parts.use(openPool(url, 1)))
    const pids = [...Object.values(system.apps), ...more.map(({ pid }) => pid)]
    const redis = new Redis(bench.redis.url)
    parts.defer(() => redis.disconnect())
    let sent = 0
    const publishOneByOne = async (pool: Pool, count: number) => {
      for (let n = 0; n < count; n += 1) {
        sent += 1
        await publishOne(pool, topics[sent % topics.length] as string, sent)
        const isStored = async () => (await system.sums()).accounted === sent
        const isSo = await waitUntil(isStored, storedMs, { stepMs: lookMs, signal: bench.signal })
        if (!isSo) throw new Error(`event ${sent} is not stored`)
        await pause(afterMs, undefined, { signal: bench.signal })
      }
    }
    const passMs = (ms: number) => pause(ms, undefined, { signal: bench.signal })
    const opened = parts.move()
    return {
      measure: async () => {
        await bench.checkpoint()
        await passMs(settleMs)
        const busy = createSum()
        const idle = createSum()
        const stop = startMeter({ ...bench.servers, 'gateways and consumers': { all: pids } })
        const count = bench.scaled(windows)
        for (let window = 0; window < count; window += 1) {
          const pool = pools[window % pools.length] as Pool
          // A topic to which a gateway has not appended for some time it looks at first.
          await publishOneByOne(pool, topics.length)
          await passMs(quietMs)
          busy.add(
            await usedBy(redis, async () => {
              await publishOneByOne(pool, publishesAWindow)
              await passMs(quietMs)
            }),
          )
          idle.add(await usedBy(redis, () => passMs(idleMs)))
        }
        const used = stop()
        const each = (of: 'micros' | 'writes') =>
          (busy.total[of] - (idle.total[of] * busy.total.ms) / idle.total.ms) / (count * publishesAWindow)
        const publishes = 1e6 / each('micros')
        // The second tells who is woken, whatever else the machine does: Redis writes once for whom it has something.
        const also = { 'for a processor second': publishes, 'for 1,000 writes': 1_000 / each('writes') }
        return { ...used, value: publishes, also }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

/** More gateways of the system. */
async function startGateways(
  bench: Bench,
  { env }: System,
  count: number,
  parts: AsyncDisposableStack,
): Promise<Served[]> {
  const gateways: Served[] = []
  while (gateways.length < count) {
    const some = Array.from({ length: Math.min(startedAtOnce, count - gateways.length) }, (_, index) =>
      startServing(bench, `${env.REDIS_PREFIX}-gateway-${gateways.length + index + 2}`, programs.gateway, {
        ...env,
        SEKALI_AUTH: 'off',
      }),
    )
    for (const started of await Promise.allSettled(some)) {
      if (started.status === 'rejected') throw started.reason
      gateways.push(parts.use(started.value))
    }
  }
  return gateways
}

async function publishOne(pool: Pool, topic: string, number: number): Promise<void> {
  const timestamp = new Date().toISOString()
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/publish',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic, event_id: `e${number}`, timestamp, source: 'bench', payload: { number } }),
  })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`POST /publish answered ${statusCode}: ${text.slice(0, 300)}`)
}

interface Use {
  readonly ms: number
  readonly micros: number
  readonly writes: number
}

function createSum() {
  let total: Use = { ms: 0, micros: 0, writes: 0 }
  return {
    add: ({ ms, micros, writes }: Use) => {
      total = {
        ms: total.ms + ms,
        micros: total.micros + micros,
        writes: total.writes + writes,
      }
    },
    get total() {
      return total
    },
  }
}

/** What Redis has used while `work` ran, by its own figures, and how often it has written to a client. */
async function usedBy(redis: Redis, work: () => Promise<unknown>): Promise<Use> {
  const before = await readUse(redis)
  const startedAt = nowMs()
  await work()
  const after = await readUse(redis)
  return {
    ms: nowMs() - startedAt,
    micros: after.micros - before.micros,
    writes: after.writes - before.writes,
  }
}

async function readUse(redis: Redis) {
  const info = await redis.info('cpu', 'stats')
  const figure = (form: RegExp) => Number(form.exec(info)?.[1] ?? 0)
  const seconds = figure(/^used_cpu_user:([\d.]+)/m) + figure(/^used_cpu_sys:([\d.]+)/m)
  return {
    micros: seconds * 1e6,
    writes: figure(/^total_writes_processed:(\d+)/m),
  }
}
