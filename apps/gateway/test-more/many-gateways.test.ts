/** Three gateways behind one door, which is HAProxy as docker compose has it, or nginx as infra/proxies has it. */
import { createClient, type TailedEvent } from '@sekali/client'
import { type Gateway, startApp, startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { upTo } from '@sekali/testkit/sample'
import { beforeAll, expect, inject, test } from 'vitest'
import { replaced, startEdge } from './haproxy.ts'
import { startProxy } from './proxy.ts'

beforeAll(() => requireDebian('haproxy', 'nginx', 'openssl'))

const gatewaysCount = 3
const topics = ['orders.eu', 'orders.us']
const batchEvents = 20

const hostOf = ({ url }: { readonly url: string }) => new URL(url).host

/** Starts a door in front of the gateways, and resolves with its URL. */
type StartDoor = (stack: AsyncDisposableStack, hosts: readonly string[]) => Promise<string>

const behindHaproxy: StartDoor = async (stack, hosts) => stack.use(await startEdge(hosts)).url

const behindNginx: StartDoor = async (stack, hosts) => {
  const upstream = `upstream gateways {\n${hosts.map((host) => `  server ${host};`).join('\n')}\n}\n`
  const plain = (site: string) => upstream + replaced(site, /(listen 127\.0\.0\.1:\d+) ssl;/, '$1;')
  const { port } = stack.use(await startProxy('nginx', 'gateways', plain))
  return `http://127.0.0.1:${port}`
}

/** Publishes batches one after the other until it is stopped; each must be taken, however often it has to be sent. */
function startSource(url: string, topic: string, name: string) {
  const client = createClient({ baseUrl: url })
  let [count, isStopped, retries] = [0, false, 0]
  const run = async () => {
    while (!isStopped) {
      const events = Array.from({ length: batchEvents }, (_, index) => ({
        topic,
        event_id: `${name}-${count + index}`,
        timestamp: '2025-12-08T10:00:00Z',
        source: name,
        payload: { number: count + index },
      }))
      await client.publishBatch(events, { onRetry: () => retries++ })
      count += batchEvents
    }
  }
  const running = run()
  running.catch(() => undefined) // whoever stops it is told
  return {
    count: () => count,
    retries: () => retries,
    stop: async () => {
      isStopped = true
      await running
    },
  }
}

/** Tails a topic or pattern from its start, wherever the door leads, until the scope ends. */
function startTail(url: string, topic: string) {
  const told: TailedEvent[] = []
  const leaving = new AbortController()
  const { signal } = leaving
  let breaks = 0
  const onRetry = () => breaks++
  const run = async () => {
    const tail = createClient({ baseUrl: url }).tail({ topic, from: 'start' }, { signal, onRetry })
    for await (const event of tail) told.push(event)
  }
  const running = run()
  running.catch(() => undefined)
  return {
    told,
    breaks: () => breaks,
    seqs: (of: string) => told.filter((event) => event.topic === of).map(({ seq }) => seq),
    [Symbol.asyncDispose]: async () => {
      leaving.abort()
      await running.catch(() => undefined)
    },
  }
}

test.each([
  { name: 'HAProxy', startDoor: behindHaproxy },
  { name: 'nginx', startDoor: behindNginx },
])(
  'behind $name gateways are killed in turn under load: no publisher fails, and tails miss nothing and repeat nothing [P4] [P5] [P9]',
  async ({ startDoor }) => {
    await using stack = new AsyncDisposableStack()
    const database = stack.use(await ownDatabase())
    const env = {
      REDIS_URL: inject('redisUrl'),
      DATABASE_URL: database.url,
      REDIS_PREFIX: ownPrefix(),
      TRUSTED_PROXIES: '127.0.0.1',
      LOG_LEVEL: 'warn',
    }
    const consumer = stack.use(startApp('consumer/src/main.ts', env))
    const gateways: Gateway[] = []
    stack.defer(async () => {
      await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()))
    })
    for (let index = 0; index < gatewaysCount; index++) gateways.push(await startGateway(env))
    const url = await startDoor(stack, gateways.map(hostOf))
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200))

    const tails = [...topics, 'orders.>'].map((topic) => stack.use(startTail(url, topic)))
    const sources = topics.flatMap((topic) => [
      startSource(url, topic, `one ${topic}`),
      startSource(url, topic, `two ${topic}`),
    ])
    const counts = () => [...sources.map(({ count }) => count()), ...tails.map(({ told }) => told.length)]
    /** All of them get further. */
    const untilFurther = async () => {
      const before = counts()
      await eventually(() => {
        for (const [index, count] of counts().entries()) expect(count).toBeGreaterThan(before[index] ?? 0)
      }, 30_000)
    }
    await untilFurther()
    for (const [index, gateway] of gateways.entries()) {
      gateway.signal('SIGKILL')
      expect(await gateway.exited).toBe('SIGKILL')
      await untilFurther()
      gateways[index] = await startGateway({ ...env, PORT: new URL(gateway.url).port })
      await untilFurther()
    }
    await Promise.all(sources.map(({ stop }) => stop()))

    const published = (topic: string) =>
      sources.reduce((sum, source, index) => sum + (topics[index >> 1] === topic ? source.count() : 0), 0)
    await eventually(() => {
      for (const topic of topics) {
        const whole = upTo(published(topic))
        for (const tail of tails.filter((one) => one.seqs(topic).length > 0)) {
          expect(tail.seqs(topic)).toEqual(whole)
        }
      }
    }, 30_000)
    const stored = topics.reduce((sum, topic) => sum + published(topic), 0)
    await eventually(async () => {
      const { totals } = await createClient({ baseUrl: url }).stats()
      expect(totals).toMatchObject({ stored, conflicts: 0, dead: 0, lost: 0, in_flight: 0 })
    })
    // Otherwise nobody noticed anything, and this has shown nothing.
    expect(tails.reduce((sum, tail) => sum + tail.breaks(), 0)).toBeGreaterThan(0)
    expect(consumer.output()).not.toContain('"level":50')
  },
  60_000,
)
