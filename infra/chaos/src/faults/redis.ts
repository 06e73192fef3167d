/**
 * Redis dies, stalls, refuses, is meddled with by an operator.
 *
 * Threatens: "durable yes" (kill -9 right after an answer), contiguity (group and pending list are not what they
 * were), "it comes back by itself". None of these may lose anything. Recovered as everywhere.
 */
import { until } from '../clock.ts'
import { defineFault, insist, PromiseBroken } from '../fault.ts'
import { partOf } from '../inject/parts.ts'
import { readPendingConsumers, withStream } from './streams.ts'

const killRedis = defineFault({
  name: 'kill-redis',
  about: 'kill -9 of Redis; it is started again and replays its file',
  needs: ['processes'],
  async run({ target: { processes } }) {
    await processes.signal(await partOf(processes, 'redis'), 'SIGKILL')
  },
})

const stallRedis = defineFault({
  name: 'stall-redis',
  about: 'SIGSTOP of Redis for up to 10 s: connections stay open and nothing is answered',
  needs: ['processes'],
  async run({ target: { processes }, random, pause }) {
    const redis = await partOf(processes, 'redis')
    await processes.signal(redis, 'SIGSTOP')
    await pause(random.int(500, 10_000))
    await processes.signal(redis, 'SIGCONT')
  },
})

const fullMs = 15_000

const fullRedis = defineFault({
  name: 'full-redis',
  about:
    'maxmemory is reached and the consumers are killed: what is there must drain although Redis refuses to grow',
  needs: ['redis', 'processes'],
  async run({ target, topics, random, pause }, signal) {
    const { redis, processes } = target
    const before = (await redis.call('CONFIG', 'GET', 'maxmemory')) as string[]
    await redis.call('CONFIG', 'SET', 'maxmemory', '1mb')
    try {
      for (const part of await processes.parts()) {
        if (part.kind === 'consumer') await processes.signal(part, 'SIGKILL')
      }
      await pause(random.int(500, 2_000))
      const drained = async () => (await Promise.all(topics.map((topic) => isDrained(topic)))).every(Boolean)
      if (!(await until(drained, fullMs, signal)) && !signal.aborted) {
        throw new PromiseBroken(`what was in Redis did not drain in ${fullMs / 1_000} s while it was full`)
      }
    } finally {
      await insist(() => redis.call('CONFIG', 'SET', 'maxmemory', before[1] ?? '0'))
    }

    // Nothing delivered and left, nothing undelivered: by Redis's own account. Two calls and no transaction:
    // a full Redis refuses those, whatever is in them.
    async function isDrained(topic: string): Promise<boolean> {
      const found = await withStream(redis, topic)
      if (found === undefined) return true
      const next = await redis.call('XRANGE', found.key, `(${found.lastDelivered}`, '+', 'COUNT', '1')
      return found.pending === 0 && Array.isArray(next) && next.length === 0
    }
  },
})

const demoteRedis = defineFault({
  name: 'demote-redis',
  about: 'Redis becomes a replica of nobody: writes are answered READONLY, on connections that look healthy',
  needs: ['redis'],
  async run({ target: { redis }, random, pause }) {
    await redis.call('REPLICAOF', '127.0.0.1', '1')
    await pause(random.int(300, 5_000))
    await insist(() => redis.call('REPLICAOF', 'NO', 'ONE'))
  },
})

const killClients = defineFault({
  name: 'kill-redis-clients',
  about: 'CLIENT KILL of all connections to Redis, several times',
  needs: ['redis'],
  async run({ target: { redis }, random, pause }) {
    for (let times = random.int(1, 5); times > 0; times--) {
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await pause(random.int(0, 500))
    }
  },
})

const destroyGroup = defineFault({
  name: 'destroy-group',
  about: 'XGROUP DESTROY: the pending list and the place of delivery are gone',
  needs: ['redis'],
  async run({ target: { redis }, topics, random }) {
    const topic = random.pick(topics)
    const found = await withStream(redis, topic)
    if (found) await redis.call('XGROUP', 'DESTROY', found.key, found.group)
  },
})

const pendingMs = 10_000

const deleteConsumer = defineFault({
  name: 'delete-consumer',
  about: 'XGROUP DELCONSUMER of a consumer that has entries pending, which Redis then forgets',
  needs: ['redis'],
  async run({ target: { redis }, topics }, signal) {
    const isDone = await until(
      async () => {
        for (const topic of topics) {
          const found = await withStream(redis, topic)
          const [victim] = found ? await readPendingConsumers(redis, found) : []
          if (found === undefined || victim === undefined) continue
          await redis.call('XGROUP', 'DELCONSUMER', found.key, found.group, victim)
          return true
        }
        return false
      },
      pendingMs,
      signal,
    )
    if (!isDone) throw new Error('no consumer had entries pending')
  },
})

const setForward = defineFault({
  name: 'set-group-forward',
  about: 'XGROUP SETID to the end: Redis would skip what has not been delivered yet',
  needs: ['redis'],
  async run({ target: { redis }, topics, random, pause }) {
    for (let times = random.int(1, 10); times > 0; times--) {
      const found = await withStream(redis, random.pick(topics))
      if (found) await redis.call('XGROUP', 'SETID', found.key, found.group, '$')
      await pause(random.int(0, 50))
    }
  },
})

export const redisFaults = [
  killRedis,
  stallRedis,
  fullRedis,
  demoteRedis,
  killClients,
  destroyGroup,
  deleteConsumer,
  setForward,
]
