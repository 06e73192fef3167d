/**
 * All tails of this process: their feeds, one for each topic or pattern that is tailed, and what is done for them now
 * and then. When nobody tails it does nothing.
 */
import type { ServerResponse } from 'node:http'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { createFeed, type Feed } from './feed.ts'
import type { Heads } from './heads.ts'
import { createSlots } from './slots.ts'
import { createTailReader, type TailReader } from './tail-reader.ts'

export interface Tails extends AsyncDisposable {
  feedOf(pattern: TopicPattern): Feed
  /** Serves a client from behind a cursor until one of the two has enough. */
  serve(feed: Feed, outgoing: ServerResponse, from: string, source: string | undefined): void
}

export interface TailsDeps {
  readonly heads: Heads
  readonly store: Store
  readonly log: Logger
  /** Aborted once this process is to leave: then its tails end, and go on elsewhere. */
  readonly signal: AbortSignal
}

export interface TailsTimes {
  /** How long a feed stays after its last reader, because clients come back. */
  readonly lingerMs?: number
  /** A client that takes nothing for so long although there is something for it is cut off. */
  readonly stalledMs?: number
  /** How often feeds and clients are looked after. */
  readonly tickMs?: number
}

/** Bytes that all rings together may hold, and one of them. */
const ringsBytesMax = 64 * 1024 * 1024
const ringBytesMax = 4 * 1024 * 1024
/** Of the pool's connections so many serve feeds, and so many those who read history. */
const feedReadsMax = 2
const historyReadsMax = 3
/** Pages of history that are held until clients take them; each has up to half a MiB, or one event. */
const historyPagesMax = 64
/** Readers that are looked after before others get their turn of the event loop. */
const beatenAtOnceMax = 512

export function createTails(
  { heads, store, log, signal }: TailsDeps,
  { lingerMs = 15_000, stalledMs = 30_000, tickMs = 1_000 }: TailsTimes = {},
): Tails {
  const feeds = new Map<string, Feed>()
  const leftAt = new Map<Feed, number>()
  const feedSlots = createSlots(feedReadsMax)
  const historySlots = createSlots(historyReadsMax)
  const pageSlots = createSlots(historyPagesMax)
  const readers = new Set<TailReader>()
  let ticking: NodeJS.Timeout | undefined

  async function tick(): Promise<void> {
    const now = performance.now()
    for (const [text, feed] of feeds) {
      if (feed.readers.size > 0) leftAt.delete(feed)
      else if (now - (leftAt.get(feed) ?? now) < lingerMs) leftAt.set(feed, leftAt.get(feed) ?? now)
      else drop(text, feed)
    }
    let beaten = 0
    for (const reader of readers) {
      reader.beat(now)
      if (++beaten % beatenAtOnceMax === 0) await nextRound()
    }
    ticking = feeds.size > 0 ? setTimeout(tick, tickMs) : undefined
  }

  function drop(text: string, feed: Feed): void {
    feeds.delete(text)
    leftAt.delete(feed)
    feed.close()
  }

  function endAll(): void {
    for (const reader of readers) reader.end()
  }
  signal.addEventListener('abort', endAll, { once: true })

  return {
    feedOf(pattern) {
      const found = feeds.get(pattern.text)
      if (found !== undefined && !found.isClosed) return found
      const feed = createFeed(pattern, {
        heads,
        store,
        log,
        slots: feedSlots,
        ringBytesMax: () => Math.min(ringBytesMax, ringsBytesMax / feeds.size),
      })
      feeds.set(pattern.text, feed)
      ticking ??= setTimeout(tick, tickMs)
      return feed
    },
    serve(feed, outgoing, from, source) {
      const reader = createTailReader({
        feed,
        outgoing,
        from,
        source,
        store,
        log,
        slots: historySlots,
        pages: pageSlots,
        stalledMs,
      })
      readers.add(reader)
      feed.readers.add(reader)
      outgoing.once('close', () => {
        readers.delete(reader)
        feed.readers.delete(reader)
      })
      if (signal.aborted || feed.isClosed) reader.end()
      else reader.pump()
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(ticking)
      endAll()
      for (const [text, feed] of feeds) drop(text, feed)
    },
  }
}
