/** A log, subscriptions to it, and dispatchers in this process. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { TopicName } from '@sekali/core/event'
import { createLog } from '@sekali/process/log'
import { beat } from '@sekali/store/dispatchers'
import { ensureTopics } from '@sekali/store/ensure-topics'
import type { JudgeOptions, PushConfig } from '@sekali/store/push-types'
import { ownStore } from '@sekali/testkit/own'
import { attemptsOf, deadOf, endpointOf, putEndpoint, statusOf } from '@sekali/testkit/push'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { parseAllow } from '@sekali/webhook/guard'
import { parseKey } from '@sekali/webhook/key'
import { seal, secretContext } from '@sekali/webhook/seal'
import { newSecret } from '@sekali/webhook/sign'
import { createSharedSlots } from '../src/endpoint/shared-slots.ts'
import { createEndpoints } from '../src/endpoints.ts'
import { dispatcherLimits, judgeDefaults } from '../src/limits.ts'
import { createSamples } from '../src/samples.ts'
import type { Resolve } from '../src/send/names.ts'
import { openLine } from '../src/send/post.ts'
import { runSweeps } from '../src/sweep.ts'

export const sealKeyText = randomBytes(32).toString('base64')
const sealKey = parseKey(sealKeyText)

interface DispatchOptions {
  readonly allow?: string
  readonly judge?: Partial<JudgeOptions>
  readonly resolve?: Resolve
  readonly sendingMax?: number
}

const metrics = { onAttempt: () => undefined, onTurnFailure: () => undefined }

export type Stack = Awaited<ReturnType<typeof ownStack>>

export async function ownStack() {
  const store = await ownStore()
  const running: { stop(): Promise<void> }[] = []
  let count = 0
  // A subscription learns of a topic when it is looked at: here it is there from the start.
  await ensureTopics(store, ['orders' as TopicName])

  /** Runs a dispatcher until the end of the scope, or `stop`, which lets it finish. */
  function dispatch({ allow = '127.0.0.0/8', judge, resolve, sendingMax = 1_000 }: DispatchOptions = {}) {
    const log = createLog('test', 'silent')
    const networks = parseAllow(allow)
    const [signal, cut] = [new AbortController(), new AbortController()]
    const me = { id: randomUUID(), name: 'test' }
    const lineTo = ({ url, concurrency }: { url: string; concurrency: number }) =>
      openLine(url, concurrency, networks, resolve)
    const sends = { store, log, sealKey, metrics, openLine: lineTo, cut: cut.signal }
    const shared = createSharedSlots(sendingMax, dispatcherLimits.sendingBytesMax)
    const options = { shared, judge: { ...judgeDefaults, ...judge }, worker: 'test', at: () => undefined }
    const endpoints = createEndpoints({ ...sends, ...options }, me.id)
    const samples = createSamples(sends)
    const requireNewest = async () => undefined
    const context = { store, log, me, endpoints, samples, attemptsDays: 30, requireNewest }
    const sweeps = runSweeps(context, signal.signal)
    let stopped: Promise<void> | undefined
    async function end(): Promise<void> {
      signal.abort()
      await sweeps
      await endpoints.drain()
      await samples[Symbol.asyncDispose]()
      await beat(store, { ...me, leaves: true })
    }
    const one = {
      stop() {
        stopped ??= end()
        return stopped
      },
      async [Symbol.asyncDispose]() {
        cut.abort()
        await one.stop()
      },
    }
    running.push(one)
    return one
  }

  return {
    store,
    dispatch,
    /** Makes a push subscription, and gives its secret. */
    async push(name: string, url: string, changes: Partial<PushConfig> = {}): Promise<string> {
      const secret = newSecret()
      await putEndpoint(store, { name, url, ...changes }, seal(sealKey, secret, secretContext(name)))
      return secret
    },
    /** Stores events of a topic, `e1`, `e2` and so on. */
    async add(more: number, changes: (n: number) => Parameters<typeof event>[0] = () => ({})): Promise<void> {
      const events = Array.from({ length: more }, (_, n) =>
        event({ eventId: `e${count + n + 1}`, ...changes(count + n + 1) }),
      )
      count += more
      await storeEvents(store, events)
    },
    attempts: (name = 'hook') => attemptsOf(store, name),
    endpoint: (name = 'hook') => endpointOf(store, name),
    status: (name = 'hook') => statusOf(store, name),
    dead: (name = 'hook') => deadOf(store, name),
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one.stop()))
      await store[Symbol.asyncDispose]()
    },
  }
}
