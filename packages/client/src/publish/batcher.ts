/**
 * Collects single events into batches. A batch is sent once it has `eventsMax` or `bytesMax`, or after `delayMs`.
 *
 * One batch is under way at a time, and it is sent again, the same to the byte, until it is answered. So the events of
 * a topic are accepted in the order in which they were given here, whatever goes wrong in between. What comes
 * meanwhile makes the next batch, which is why a slow gateway gets larger batches and not more requests.
 *
 * Sekali refuses a batch whole if one of its events is not valid. Then those that it names are rejected here, and the
 * others are sent, in as many rounds as it takes.
 */
import type { Issue } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import { requireMs, requireWhole, timerMsMax } from '../arguments.ts'
import { type Connection, jsonOf } from '../connection/connection.ts'
import { issueText } from '../connection/failure.ts'
import type { CallOptions } from '../connection/retry.ts'
import { Closed, Invalid } from '../errors.ts'
import { type Publishable, textOf } from './event-text.ts'
import { post } from './publish.ts'
import { createHeld, createQueue, type Item } from './queue.ts'

export interface BatcherOptions extends CallOptions {
  /** Events of one batch at most, up to 5,000. */
  readonly eventsMax?: number
  /** Bytes of one batch at most, up to 8 MiB. A larger event has a batch of its own. */
  readonly bytesMax?: number
  /** How long the first event of a batch waits for others. */
  readonly delayMs?: number
  /** Events that wait or are under way, at most. */
  readonly queueEventsMax?: number
  readonly queueBytesMax?: number
}

export interface Batcher extends AsyncDisposable {
  /**
   * Resolves once the event is durably queued. Rejects with Invalid for this event alone, with QueueFull if there is
   * no room, or with what ended the retries: then it may or may not have been queued, and to publish it again is safe.
   */
  publish(event: Publishable): Promise<void>
  /** Resolves when there is room for another event. Await it before each publish, and memory stays bounded. */
  ready(): Promise<void>
  /** Sends what waits, and resolves when everything that was given until now has been answered. Never rejects. */
  flush(): Promise<void>
  /** Flushes; what is given later is rejected. Safe twice. */
  close(): Promise<void>
}

export function createBatcher(connection: Connection, options: BatcherOptions = {}): Batcher {
  const { eventsMax, bytesMax, queueEventsMax, queueBytesMax, delayMs, call } = checked(options)
  const waiting = createQueue(eventsMax, bytesMax)
  const held = createHeld(queueEventsMax, queueBytesMax)
  let isDue = false // what waits may go although it fills no batch
  let isClosed = false
  let sending: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  function sendNow(): void {
    isDue = true
    clearTimeout(timer)
    timer = undefined
    sending ??= sendWaiting()
  }

  async function sendWaiting(): Promise<void> {
    while (waiting.hasAny() && (isDue || waiting.isFull())) {
      const batch = waiting.takeBatch()
      // Nothing rejects it that we know of; if something does, whoever waits must not wait for ever.
      await deliver(connection, call, batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error)
      })
      held.onAnswer(batch)
    }
    isDue = false
    sending = undefined
    if (waiting.hasAny()) timer ??= setTimeout(sendNow, delayMs)
  }

  async function close(): Promise<void> {
    isClosed = true
    await flush()
  }

  function flush(): Promise<void> {
    if (held.isEmpty()) return Promise.resolve()
    const done = held.untilAnswered()
    sendNow()
    return done
  }

  return {
    async publish(event) {
      if (isClosed) throw new Closed('the batcher is closed')
      call.signal?.throwIfAborted()
      const text = textOf(event)
      held.requireRoom()
      const bytes = new TextEncoder().encode(text).length + 1 // and a comma
      await new Promise<void>((resolve, reject) => {
        const item = { text, bytes, resolve, reject }
        waiting.add(item)
        held.add(item)
        if (waiting.isFull()) sending ??= sendWaiting()
        else if (sending === undefined) timer ??= setTimeout(sendNow, delayMs)
      })
    },
    ready: held.untilRoom,
    flush,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Resolves or rejects every item of the batch. Ends after at most as many rounds as it has events. Never rejects. */
async function deliver(connection: Connection, call: CallOptions, batch: readonly Item[]): Promise<void> {
  for (let left = batch; left.length > 0; ) {
    try {
      const answer = await post(connection, `[${left.map(({ text }) => text).join(',')}]`, call)
      jsonOf(answer, (value) => 'queued' in value)
      for (const { resolve } of left) resolve()
      return
    } catch (error) {
      const refused = refusals(error, left.length)
      for (const [index, item] of left.entries()) {
        if (refused === undefined) item.reject(error)
        else if (refused.has(index)) item.reject(refused.get(index))
      }
      left = refused === undefined ? [] : left.filter((_, index) => !refused.has(index))
    }
  }
}

/** Which events of a batch are to blame, each with its own error; undefined if that is not what was answered. */
function refusals(error: unknown, size: number): Map<number, Invalid> | undefined {
  if (!(error instanceof Invalid)) return undefined
  // Not Map.groupBy, which Node 20 does not know.
  const byIndex = new Map<number, Issue[]>()
  for (const issue of error.issues) {
    const at = issue.index ?? -1
    byIndex.set(at, [...(byIndex.get(at) ?? []), issue])
  }
  if (byIndex.size === 0 || [...byIndex.keys()].some((index) => index < 0 || index >= size)) return undefined
  return new Map(
    [...byIndex].map(([at, issues]) => {
      const own = issues.map(({ index: _, ...issue }) => issue)
      return [at, new Invalid(own.map(issueText).join('; '), { status: 422, code: error.code }, own)]
    }),
  )
}

/** The limits, with their defaults, and what goes along with each call. */
function checked({
  delayMs = 5,
  queueEventsMax = 10_000,
  queueBytesMax = 16 * 1024 * 1024,
  ...more
}: BatcherOptions) {
  const { eventsMax = 500, bytesMax = 512 * 1024, ...call } = more
  requireWhole('eventsMax', eventsMax, 1, limits.batchEventsMax)
  requireWhole('bytesMax', bytesMax, 1, limits.batchBytesMax)
  requireWhole('queueEventsMax', queueEventsMax, 1, Number.MAX_SAFE_INTEGER)
  requireWhole('queueBytesMax', queueBytesMax, 1, Number.MAX_SAFE_INTEGER)
  requireMs('delayMs', delayMs, timerMsMax)
  return { eventsMax, bytesMax, queueEventsMax, queueBytesMax, delayMs, call }
}
