/** Deliveries of push subscriptions, by a dispatcher to a receiver on the same cores. */
import { randomBytes } from 'node:crypto'
import { parsePattern } from '@sekali/core/pattern'
import { programs } from '@sekali/local/repository'
import { connectStore, type Store } from '@sekali/store/connect'
import type { PushConfig } from '@sekali/store/push-types'
import { putPush } from '@sekali/store/put-push'
import { parseKey } from '@sekali/webhook/key'
import { seal, secretContext } from '@sekali/webhook/seal'
import { newSecret } from '@sekali/webhook/sign'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import type { Log } from '../system/fill.ts'
import { startWorking } from '../system/program.ts'

export interface ReceiverCall {
  readonly call: 'url' | 'arrivals' | 'forget'
}

/** Times on the machine's monotonic clock; ages of events in milliseconds, where bodies say when they were stored. */
export interface Arrivals {
  readonly count: number
  readonly first: number
  readonly last: number
  readonly ages: readonly number[]
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  arrivals(): Promise<Arrivals>
  forget(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const worker = startWorker(new URL('./webhook-receiver-worker.ts', import.meta.url))
  const ask = <T>(call: ReceiverCall['call']) => worker.call<T>({ call } satisfies ReceiverCall)
  return {
    url: await ask<string>('url'),
    pid: worker.pid,
    arrivals: () => ask<Arrivals>('arrivals'),
    forget: () => ask<void>('forget'),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}

const keyText = randomBytes(32).toString('base64')
const key = parseKey(keyText)

let dispatchers = 0
let subscriptions = 0

/** A dispatcher on a database, and a way to make endpoints for it. */
export async function startDispatching(
  bench: Bench,
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
) {
  await using parts = new AsyncDisposableStack()
  dispatchers += 1
  const name = `bench-dispatcher-${dispatchers}`
  const store = parts.use(connectStore({ url: databaseUrl, poolMax: 1, name: 'bench' }, { warn: () => {} }))
  const app = await startWorking(bench, name, programs.dispatcher, {
    DATABASE_URL: databaseUrl,
    REDIS_URL: bench.redis.url,
    REDIS_PREFIX: name,
    DISPATCHER_NAME: name,
    WEBHOOK_KEY: keyText,
    WEBHOOK_ALLOW: '127.0.0.0/8',
    ...env,
  })
  parts.defer(app.stop)
  const opened = parts.move()
  return {
    store,
    pid: app.pid,
    push: (url: string, changes: Partial<PushConfig> = {}) => push(store, url, changes),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function push(store: Store, url: string, changes: Partial<PushConfig>): Promise<void> {
  subscriptions += 1
  const name = `webhook-${subscriptions}`
  const config: PushConfig = {
    name,
    topics: parsePattern('>'),
    from: 'start',
    order: 'none',
    filter: {},
    url,
    headers: null,
    concurrency: 50,
    ratePerSecond: null,
    batchMax: 1,
    timeoutSeconds: 30,
    body: 'standard',
    retrySeconds: [5, 300],
    onExhausted: 'skip',
    ...changes,
  }
  const { outcome } = await putPush(store, config, seal(key, newSecret(), secretContext(name)), {
    actor: 'bench',
  })
  if (outcome !== 'created') throw new Error(`a push subscription was ${outcome}`)
}

/** Deliveries a second of a log that is there when the subscription is made; another one each round. */
export const deliveries = (options: { readonly log: Log; readonly concurrency: number }): Side => ({
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const { log, concurrency } = options
    const events = bench.scaled(log.events / log.topics.length) * log.topics.length
    const databaseUrl = await bench.filled({ ...log, events })
    const receiver = parts.use(await startReceiver())
    const dispatching = parts.use(await startDispatching(bench, databaseUrl))
    const measure = async (): Promise<Measure> => {
      await receiver.forget()
      await bench.checkpoint()
      const stop = startMeter({ ...bench.servers, dispatcher: dispatching.pid, receiver: receiver.pid })
      await dispatching.push(receiver.url, { concurrency })
      await until(
        'all events are delivered',
        bench.signal,
        async () => (await receiver.arrivals()).count >= events,
      )
      const used = stop()
      const { first, last, count } = await receiver.arrivals()
      const seconds = (last - first) / 1_000
      return { ...used, seconds, value: count / seconds }
    }
    await measure() // the warm-up
    const opened = parts.move()
    return { measure, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  },
})
