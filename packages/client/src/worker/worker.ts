import { subscriptionLimits } from '@sekali/core/subscription'
import type { AnyPayload, StoredEvent } from '../answers.ts'
import { checkedCall, requireFunction, requireText, requireWhole } from '../arguments.ts'
import { type Client, createClient } from '../client.ts'
import { type Connection, type ConnectionOptions, connectionTo, jsonOf } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'
import { handleAll, loopsOver } from './handle.ts'
import type { JobOf } from './job.ts'
import { createPool, type Pool, type Pulled } from './pool.ts'

export type Job<Payload extends object = AnyPayload> = JobOf<StoredEvent<Payload>>

export interface WorkOptions<Payload extends object = AnyPayload> extends CallOptions {
  /**
   * Ends it in order: nothing more is pulled, what has begun ends, what has not is released for others. Then the loop ends,
   * or the call with a handler resolves.
   */
  readonly signal?: AbortSignal | undefined
  /** Events that are held at a time, from 1 to 1,000; 1 if it is not said. A handler is called for so many at once. */
  readonly concurrency?: number | undefined
  /** What this worker is called, for people. */
  readonly worker?: string | undefined
  /** Bytes of events of one pull at most; 1 MiB if it is not said. */
  readonly bytesMax?: number | undefined
  /**
   * Called with what a handler threw, and with what was in the way when a job was to be settled by itself: LeaseLost, or what
   * ended the retries. Either way the event comes again, or has gone to somebody else. What it throws ends the work.
   */
  readonly onFailure?: ((error: unknown, job: Job<Payload>) => void) | undefined
}

export type Handler<Payload extends object = AnyPayload> = (job: Job<Payload>) => unknown

/** A client that works off subscriptions, too. */
export interface WorkingClient extends Client {
  /**
   * Works off a subscription. Each turn of a loop over it is a job: the next turn acks it, and what leaves the loop (`break`, or
   * an error) naks it, unless it is settled already. Several loops over one result share its `concurrency`; when the last
   * one is left, what none has begun is released. A loop rejects with what ended the pulls for good.
   */
  work<Payload extends object = AnyPayload>(
    subscription: string,
    options?: WorkOptions<Payload>,
  ): AsyncIterable<Job<Payload>>
  /**
   * Works off a subscription with a handler, until `signal` is aborted. A job is acked when what the handler returns has
   * resolved, and gets a nak when that throws: the error's message is kept with the dead letter, if it becomes one. Rejects
   * with what ended the pulls for good, once all that had begun has ended.
   */
  work<Payload extends object = AnyPayload>(
    subscription: string,
    options: WorkOptions<Payload>,
    handler: Handler<Payload>,
  ): Promise<void>
}

/** Throws InvalidConfig for options that make no sense. Nothing is kept open, so nothing has to be closed. */
export function createWorker(options: ConnectionOptions = {}): WorkingClient {
  const connection = connectionTo(options)
  const work = (name: string, options: WorkOptions = {}, handler?: Handler) =>
    handler === undefined
      ? loopsOver(poolOf(connection, name, options), options.onFailure)
      : workWith(connection, name, options, handler)
  return { ...createClient(options), work: work as WorkingClient['work'] }
}

async function workWith(connection: Connection, name: string, options: WorkOptions, handler: Handler) {
  requireFunction('the handler', handler)
  const { concurrency = 1, onFailure } = options
  const pool = poolOf(connection, name, options)
  await handleAll(pool, concurrency, endingOf(handler, onFailure), onFailure)
}

function poolOf(connection: Connection, name: string, given?: WorkOptions): Pool<StoredEvent> {
  requireText('the name of a subscription', name)
  const options = checkedCall(given, 'concurrency', 'worker', 'bytesMax', 'onFailure') ?? {}
  const { onFailure, concurrency = 1, worker, bytesMax } = options
  requireWhole('concurrency', concurrency, 1, subscriptionLimits.pullEventsMax)
  requireFunction('onFailure', onFailure)
  if (worker !== undefined) requireText('worker', worker)
  if (bytesMax !== undefined) requireWhole('bytesMax', bytesMax, 1, subscriptionLimits.pullBytesMax)
  return createPool(connection, name, { ...options, concurrency }, (answer) =>
    jsonOf<Pulled<StoredEvent>>(answer, (value) => 'items' in value),
  )
}

/** What a handler makes of a job. */
const endingOf = (handler: Handler, onFailure: WorkOptions['onFailure']) => async (job: Job) => {
  try {
    await handler(job)
    return { do: 'ack' } as const
  } catch (error) {
    // Of a lease that is lost, that is what is told when it cannot be settled.
    if (!job.signal.aborted) onFailure?.(error, job)
    return { do: 'nak', reason: error instanceof Error ? error.message : String(error) } as const
  }
}
