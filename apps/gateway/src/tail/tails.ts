/**
 * All tails of this process, their feeds, and what is done for both every `tickMs`. When nobody tails nothing is done.
 */
import type { ServerResponse } from 'node:http'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Life } from '../access/life.ts'
import { createBulkReads } from '../clients/bulk-reads.ts'
import type { Client } from '../clients/clients.ts'
import { createSlots } from '../clients/slots.ts'
import type { Heads } from '../heads/heads.ts'
import type { ReadLog } from '../standby/read-log.ts'
import { createFeeds, type FeedInUse } from './feeds.ts'
import { createTailReader, type TailReader } from './reader.ts'
import { createTailWriter } from './writer.ts'

export interface Tails extends AsyncDisposable {
  /** The feed of a pattern, for a client that may be the first. Throws `Overloaded` or `ClientLimit`. */
  feedOf(pattern: TopicPattern, client: Client): FeedInUse
  /** Serves a client from behind a cursor until it leaves, its key is revoked, or this process leaves. */
  serve(
    use: FeedInUse,
    outgoing: ServerResponse,
    from: Beginning,
    source: string | undefined,
    life: Life,
  ): void
}

/** Where a tail begins: behind this id. */
interface Beginning {
  readonly id: string
  /** Whether the client named it. */
  readonly isKnown: boolean
}

export interface TailsDeps {
  readonly heads: Heads
  readonly store: Store
  readonly readLog: ReadLog
  readonly log: Logger
  /** Aborted once this process is to leave: then its tails end, and go on elsewhere. */
  readonly signal: AbortSignal
}

export interface TailsOptions {
  /** Topics that are followed at a time; a pattern counts as four. */
  readonly feedsMax?: number
  /** How long a feed stays after its last reader, because clients come back. */
  readonly lingerMs?: number
  /** A client that takes nothing for so long although there is something for it is cut off. */
  readonly stalledMs?: number
  /** How often feeds and clients are looked after. */
  readonly tickMs?: number
}

/** Connections of the pool that serve reads of history. */
const historyReadsMax = 3
/** Pages of history that are held until clients take them; each has up to half a MiB, or one event. */
const historyPagesMax = 64
/** Readers that get their beat before the event loop serves others. */
const beatenAtOnceMax = 512

export function createTails(
  { heads, store, readLog, log, signal }: TailsDeps,
  { feedsMax = 4_096, lingerMs = 15_000, stalledMs = 30_000, tickMs = 1_000 }: TailsOptions = {},
): Tails {
  const feeds = createFeeds({ heads, store, log }, { feedsMax, lingerMs })
  const reads = createBulkReads(historyReadsMax)
  const pages = createSlots(historyPagesMax)
  const readers = new Set<TailReader>()
  let ticking: NodeJS.Timeout | undefined

  async function tick(): Promise<void> {
    const now = performance.now()
    feeds.tidy(now)
    let beaten = 0
    for (const reader of readers) {
      reader.beat(now)
      if (++beaten % beatenAtOnceMax === 0) await nextRound()
    }
    ticking = feeds.size > 0 ? setTimeout(tick, tickMs) : undefined
  }

  function endAll(): void {
    for (const reader of readers) reader.end()
  }
  signal.addEventListener('abort', endAll, { once: true })

  return {
    feedOf(pattern, client) {
      const use = feeds.use(pattern, client)
      ticking ??= setTimeout(tick, tickMs)
      return use
    },
    serve(use, outgoing, from, source, life) {
      const { feed, client } = use
      const writer = createTailWriter(outgoing, {
        from: from.id,
        isFromKnown: from.isKnown,
        source,
        stalledMs,
      })
      const reader = createTailReader({ feed, writer, readLog, log, client, reads, pages })
      readers.add(reader)
      feed.readers.add(reader)
      // Whoever comes again is answered 401, and does not come again then.
      const watch = life.onEnd((why) => reader.end(why))
      outgoing.once('close', () => {
        watch[Symbol.dispose]()
        readers.delete(reader)
        feed.readers.delete(reader)
        use[Symbol.dispose]()
      })
      if (signal.aborted || feed.isClosed) reader.end()
      else reader.pump()
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(ticking)
      endAll()
      feeds.close()
    },
  }
}
