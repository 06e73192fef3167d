/**
 * More than a topic, or Redis, may hold.
 *
 * Threatens: conservation (what is refused must not be there, what is taken must), that one topic's flood is its own, "it
 * comes back by itself". Recovered as everywhere; what is full must take events again without anybody's help.
 */
import { awaitEnd, fill, floodDuring, measureBeside, openFlood, openPublisher } from '../abuse/flood.ts'
import { until } from '../clock.ts'
import { defineFault, insist, PromiseBroken } from '../fault.ts'
import type { Processes } from '../targets/target.ts'

const bound = 20_000
const seedMax = 999_999_999
/** The topics of the flood, and of one who is not part of it. */
const flooded = 'pressure.flood'
const quiet = 'pressure.quiet'

const backlogFull = defineFault({
  name: 'backlog-full',
  about: `all consumers are stopped while a topic is flooded until it is full (${bound} events), then they go on`,
  needs: ['processes', 'extras'],
  alone: true,
  async run({ target: { processes, extras, keyNow }, random, report }, signal) {
    const gateway = await extras.startGateway({ BACKLOG_EVENTS_MAX: String(bound) })
    try {
      await using flood = await openFlood({ url: gateway.url, keyNow }, flooded, random.int(0, seedMax))
      const before = await measureBeside(flood, quiet)
      const meanwhile = await whileStopped(processes, async () => {
        await fill(flood, bound, signal)
        return await floodDuring(flood, () => measureBeside(flood, quiet))
      })
      judgeNeighbour(before, meanwhile)
      await awaitEnd(flood, signal)
      report(
        `a flood: ${flood.accepted} of ${flood.sent} events taken; p99 beside it ${meanwhile.toFixed(1)} ms, before ${before.toFixed(1)} ms`,
      )
    } finally {
      gateway.signal('SIGTERM')
      await gateway.exited
    }
  },
})

/** While all consumers are stopped. */
async function whileStopped<T>(processes: Processes, work: () => Promise<T>): Promise<T> {
  const consumers = (await processes.parts()).filter(({ kind }) => kind === 'consumer')
  const signalAll = async (name: NodeJS.Signals) => {
    for (const consumer of consumers) await processes.signal(consumer, name)
  }
  await signalAll('SIGSTOP')
  try {
    return await work()
  } finally {
    await insist(() => signalAll('SIGCONT'))
  }
}

const factorMax = 1.5
/** What is refused must be read before, and that takes the processor of the same gateway. */
const msFree = 50

function judgeNeighbour(before: number, meanwhile: number): void {
  if (meanwhile <= Math.max(factorMax * before, before + msFree)) return
  const [is, was] = [meanwhile, before].map((ms) => ms.toFixed())
  throw new PromiseBroken(`p99 beside a full topic ${is} ms, without it ${was} ms`)
}

const shedMs = 10_000

const redisFullShed = defineFault({
  name: 'redis-full-shed',
  about:
    'Redis has used 90 % of its maxmemory: publishing is refused before Redis refuses it, and comes back',
  needs: ['redis'],
  alone: true,
  async run({ target: { redis, quietUrl: url, keyNow }, random, pause }, signal) {
    const [, before = '0'] = (await redis.call('CONFIG', 'GET', 'maxmemory')) as string[]
    const used = Number(/^used_memory:(\d+)/m.exec(String(await redis.call('INFO', 'memory')))?.[1])
    await using publisher = openPublisher({ url, keyNow }, quiet, random.int(0, seedMax))
    const { codes, publish } = publisher
    const mustAnswer = async (wanted: string) => {
      const isRight = async () => (await publish()) === wanted
      if ((await until(isRight, shedMs, signal)) || signal.aborted) return
      throw new PromiseBroken(`events were answered ${[...new Set(codes)].join(', ')} instead of ${wanted}`)
    }
    await redis.call('CONFIG', 'SET', 'maxmemory', String(Math.round(used / 0.9)))
    try {
      await mustAnswer('memory_limit')
      await pause(random.int(500, 3_000))
      await mustAnswer('memory_limit')
    } finally {
      await insist(() => redis.call('CONFIG', 'SET', 'maxmemory', before))
    }
    await mustAnswer('200')
    if (codes.includes('broker_unavailable')) throw new PromiseBroken('Redis refused before the gateway did')
  },
})

export const pressureFaults = [backlogFull, redisFullShed]
