/**
 * Hands out what a worker pulls of a subscription to whoever takes it: one request at a time, for as many events as there is
 * room for. Leases of all that is held, begun or not, are extended at a third of the lease.
 *
 * It stops in this order: no further pull; what nobody has taken is released; what was taken is extended until it is
 * settled. What comes while it stops is released as well. An answer that is lost on its way comes again after the lease.
 */
import { timerMsMax } from '../arguments.ts'
import type { Connection } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import { createHandOver } from './hand-over.ts'
import { createHoldings } from './holdings.ts'
import type { Held, Numbered, PulledItem } from './job.ts'
import { createPull, type PullOptions } from './pull.ts'
import { createSettler } from './settle.ts'

export interface PoolOptions extends PullOptions {
  /** Events that are held at a time, at most. */
  readonly concurrency: number
  /** Events that are pulled in all, at most: once they are settled it stops. */
  readonly total?: number | undefined
  /** Stops it. */
  readonly signal?: AbortSignal | undefined
}

export interface Pulled<Event extends Numbered> {
  readonly items: readonly PulledItem<Event>[]
  /** For how long nobody else gets them: so no clock is asked. */
  readonly lease_s: number
}

export interface Pool<Event extends Numbered> {
  /** The next event, once there is one; undefined after `stop`. Rejects with what ended the pulls. */
  take(): Promise<Held<Event> | undefined>
  /** Ends the pulls and releases what nobody has taken. Safe twice. Never rejects. */
  stop(): Promise<void>
}

/** `read` makes items of an answer. Nothing is pulled before somebody takes. */
export function createPool<Event extends Numbered>(
  connection: Connection,
  name: string,
  { concurrency, total = Infinity, signal, ...options }: PoolOptions,
  read: (answer: Answer) => Pulled<Event>,
): Pool<Event> {
  const path = `/subscriptions/${encodeURIComponent(name)}`
  const pull = createPull(connection, path, options)
  const change = createChange()
  const holdings = createHoldings<Event>(createSettler(connection, path, options.onRetry), change.happened)
  const handOver = createHandOver<Held<Event>>()
  const stopping = new AbortController()
  let isPulling = false
  let left = total
  let failure: { readonly error: unknown } | undefined

  async function pullOnce(): Promise<void> {
    const room = Math.min(concurrency - holdings.size(), left)
    if (room <= 0) return await change.within(Infinity)
    const { answer, againMs } = await pull(room, stopping.signal)
    const { items, lease_s } = answer === undefined ? nothing : read(answer)
    if (items.length === 0) return await change.within(againMs)
    left -= items.length
    for (const item of items) {
      const one = holdings.keep(item)
      if (stopping.signal.aborted) void release([one])
      else handOver.give(one)
    }
    holdings.extendEvery((lease_s * 1_000) / 3)
  }

  async function pullAll(): Promise<void> {
    isPulling = true
    try {
      // Ended by `stop`, by an error that is not retryable, or by the last of `total`.
      while (!stopping.signal.aborted && left + holdings.size() > 0) await pullOnce()
    } catch (error) {
      if (!stopping.signal.aborted) failure = { error }
    }
    await stop()
  }

  async function stop(): Promise<void> {
    signal?.removeEventListener('abort', stop)
    stopping.abort()
    change.happened()
    await release(handOver.end())
    holdings.close()
  }

  signal?.addEventListener('abort', stop)
  if (signal?.aborted) void stop()
  return {
    async take() {
      if (!isPulling && !stopping.signal.aborted) void pullAll()
      const one = await handOver.take()
      if (one === undefined && failure !== undefined) throw failure.error
      return one
    },
    stop,
  }
}

const nothing = { items: [], lease_s: 0 } as const

/** What cannot be released comes again after its lease. */
const release = async (all: readonly Held<Numbered>[]): Promise<void> =>
  void (await Promise.allSettled(all.map((one) => one.settle({ do: 'release' }))))

/** A wait that ends early when something has changed. */
function createChange() {
  let wake: (() => void) | undefined
  return {
    happened: () => wake?.(),
    within: (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = ms === Infinity ? undefined : setTimeout(resolve, Math.min(ms, timerMsMax))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
  }
}
