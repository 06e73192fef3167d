import { InvalidConfig } from '@sekali/core/errors'
import { requireFunction } from '../arguments.ts'
import type { Connection } from '../connection/connection.ts'
import { Invalid } from '../errors.ts'
import { type BatcherOptions, createBatcher } from './batcher.ts'
import type { Publishable } from './event-text.ts'

export interface PublishAllCounts {
  readonly queued: number
  /** Events that are not valid; all others are queued. */
  readonly refused: number
}

export interface PublishAllOptions extends BatcherOptions {
  /** Called for each event that is not valid, with its index in the order of arrival and why. */
  readonly onRefused?: (index: number, error: Invalid) => void
  /** Called after each batch with the counts so far. */
  readonly onProgress?: (counts: PublishAllCounts) => void
}

/**
 * Publishes whatever comes, in batches, and takes it no faster than Sekali does. It rejects with what ended the
 * retries; then some of what was taken may not be queued, and to publish it all again is safe.
 */
export async function publishAll(
  connection: Connection,
  events: Iterable<Publishable> | AsyncIterable<Publishable>,
  { onRefused, onProgress, signal, ...options }: PublishAllOptions = {},
): Promise<PublishAllCounts> {
  const source = iteratorOf(events)
  requireFunction('onRefused', onRefused)
  requireFunction('onProgress', onProgress)
  const failure = createFailure()
  const batcher = createBatcher(connection, { ...options, signal: failure.signal })
  const counts = { queued: 0, refused: 0 }
  const onOutcome = (index: number, error?: unknown) => {
    if (error === undefined) counts.queued += 1
    else if (!(error instanceof Invalid)) return failure.fail(error)
    else {
      counts.refused += 1
      onRefused?.(index, error)
    }
    onProgress?.({ ...counts })
  }
  const onAbort = () => failure.fail(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  try {
    signal?.throwIfAborted()
    for (let index = 0; ; index++) {
      await batcher.ready()
      const next = await failure.or(source.next())
      if (next.done) break
      batcher
        .publish(next.value)
        .then(
          () => onOutcome(index),
          (error: unknown) => onOutcome(index, error),
        )
        .catch(failure.fail) // of a callback that throws
    }
    await failure.or(batcher.close())
    return { ...counts }
  } catch (error) {
    failure.fail(error)
    // Not waited for: a source that waits for its next event would keep us.
    Promise.resolve(source.return?.()).catch(() => undefined)
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function iteratorOf(events: Iterable<Publishable> | AsyncIterable<Publishable>) {
  // A text would be taken for the events that its characters are.
  if (typeof events === 'object' && events !== null) {
    if (Symbol.asyncIterator in events) return events[Symbol.asyncIterator]()
    if (Symbol.iterator in events) return events[Symbol.iterator]()
  }
  throw new InvalidConfig('publishAll takes an iterable of events')
}

/** The first thing that goes wrong, which ends a wait for anything else. */
function createFailure() {
  const controller = new AbortController()
  const { signal } = controller
  let interrupt: ((reason: unknown) => void) | undefined
  return {
    signal,
    fail(error: unknown) {
      controller.abort(error)
      interrupt?.(signal.reason)
    },
    // Not Promise.race with one promise for all: it would remember every wait until the end.
    or<T>(work: T | PromiseLike<T>): Promise<T> {
      signal.throwIfAborted()
      return new Promise((resolve, reject) => {
        interrupt = reject
        Promise.resolve(work).then(resolve, reject)
      })
    },
  }
}
