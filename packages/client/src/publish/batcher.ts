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
import { InvalidConfig } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import { type Connection, jsonOf } from '../connection/connection.ts'
import { issueText } from '../connection/failure.ts'
import type { CallOptions } from '../connection/retry.ts'
import { Closed, Invalid, QueueFull } from '../errors.ts'
import { type Publishable, post, textOf } from './publish.ts'

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

interface Item {
  readonly text: string
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export function createBatcher(connection: Connection, options: BatcherOptions = {}): Batcher {
  const { delayMs = 5, queueEventsMax = 10_000, queueBytesMax = 16 * 1024 * 1024, ...call } = options
  const { eventsMax = 500, bytesMax = 512 * 1024 } = options
  checkRange('eventsMax', eventsMax, limits.batchEventsMax)
  checkRange('bytesMax', bytesMax, limits.batchBytesMax)

  const waiting = createQueue(eventsMax, bytesMax)
  let heldEvents = 0 // waiting and under way
  let heldBytes = 0
  let answered = 0 // batches are answered in order, so this many events from the first one on
  let given = 0
  let isDue = false // what waits may go although it fills no batch
  let isClosed = false
  let sending: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const forRoom: (() => void)[] = []
  let forAnswer: { readonly upTo: number; readonly resolve: () => void }[] = []

  const hasRoom = () => heldEvents < queueEventsMax && heldBytes < queueBytesMax

  function sendNow(): void {
    isDue = true
    clearTimeout(timer)
    timer = undefined
    sending ??= sendWaiting()
  }

  async function sendWaiting(): Promise<void> {
    while (waiting.hasAny() && (isDue || waiting.isFull())) {
      const batch = waiting.takeBatch()
      await deliver(connection, call, batch)
      heldEvents -= batch.length
      heldBytes -= bytesOf(batch)
      answered += batch.length
      forAnswer = forAnswer.filter(({ upTo, resolve }) => upTo > answered || resolve())
      if (hasRoom()) for (const resolve of forRoom.splice(0)) resolve()
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
    if (given === answered) return Promise.resolve()
    const done = new Promise<void>((resolve) => forAnswer.push({ upTo: given, resolve }))
    sendNow()
    return done
  }

  return {
    async publish(event) {
      if (isClosed) throw new Closed('the batcher is closed')
      call.signal?.throwIfAborted()
      const text = textOf(event)
      if (!hasRoom())
        throw new QueueFull(`${heldEvents} events wait to be sent; await ready() before each publish`)
      const bytes = new TextEncoder().encode(text).length + 1 // and a comma
      await new Promise<void>((resolve, reject) => {
        waiting.add({ text, bytes, resolve, reject })
        heldEvents += 1
        heldBytes += bytes
        given += 1
        if (waiting.isFull()) sending ??= sendWaiting()
        else if (sending === undefined) timer ??= setTimeout(sendNow, delayMs)
      })
    },
    async ready() {
      while (!hasRoom()) await new Promise<void>((resolve) => forRoom.push(resolve))
    },
    flush,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What waits to be sent, and whether it fills a batch. */
function createQueue(eventsMax: number, bytesMax: number) {
  const items: Item[] = []
  let waitingBytes = 0
  return {
    hasAny: () => items.length > 0,
    isFull: () => items.length >= eventsMax || waitingBytes >= bytesMax,
    add(item: Item): void {
      items.push(item)
      waitingBytes += item.bytes
    },
    takeBatch(): Item[] {
      let bytes = 0
      const end = items.findIndex((item, index) => {
        bytes += item.bytes
        return index >= eventsMax || (index > 0 && bytes > bytesMax)
      })
      const batch = items.splice(0, end === -1 ? items.length : end)
      waitingBytes -= bytesOf(batch)
      return batch
    },
  }
}

/** Settles every item of the batch. Ends after at most as many rounds as it has events. Never rejects. */
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

const bytesOf = (batch: readonly Item[]) => batch.reduce((sum, { bytes }) => sum + bytes, 0)

/** Which events of a batch are to blame, each with its own error; undefined if that is not what was answered. */
function refusals(error: unknown, size: number): Map<number, Invalid> | undefined {
  if (!(error instanceof Invalid)) return undefined
  const byIndex = Map.groupBy(error.issues, ({ index = -1 }) => index)
  if (byIndex.size === 0 || [...byIndex.keys()].some((index) => index < 0 || index >= size)) return undefined
  return new Map(
    [...byIndex].map(([at, issues]) => {
      const own = issues.map(({ index: _, ...issue }) => issue)
      return [at, new Invalid(own.map(issueText).join('; '), { status: 422, code: error.code }, own)]
    }),
  )
}

function checkRange(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return
  throw new InvalidConfig(`${name} must be a whole number from 1 to ${max}`)
}
