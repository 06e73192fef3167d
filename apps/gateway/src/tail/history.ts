/**
 * Brings a tail from its id to where the feed's ring begins, page by page. A page is dropped when the socket is full, and
 * read again from where the client got to; so a slow client keeps nobody else from reading.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'
import { type Range, type RangeEvent, readRanges } from '@sekali/store/ranges'
import type { BulkReads } from '../clients/bulk-reads.ts'
import type { Client } from '../clients/clients.ts'
import type { Slots } from '../clients/slots.ts'
import { drained } from '../http/backpressure.ts'
import type { ReadLog } from '../standby/read-log.ts'
import type { Feed } from './feed.ts'
import type { TailWriter } from './writer.ts'

export interface HistoryDeps {
  readonly feed: Feed
  readonly writer: TailWriter
  readonly readLog: ReadLog
  readonly log: Logger
  readonly client: Client
  readonly reads: BulkReads
  /** For pages that are held until they are written: there are more of them than reads, because clients may be slow. */
  readonly pages: Slots
}

/** After a failure of PostgreSQL, or when the client is ahead of the feed; twice as long each time. */
const againFirstMs = 50
const againMaxMs = 1_000
const eventsMax = 1_000
const bytesMin = 32 * 1024
const bytesMax = 512 * 1024

/**
 * Reads history until the ring has what follows, or the client is gone. Never rejects.
 *
 * It has no page among its variables: an async function that waits keeps all of them alive, also those whose block
 * has ended. 300 clients that took nothing held 550 MB that way.
 */
export async function catchUp(deps: HistoryDeps): Promise<void> {
  const { feed, writer } = deps
  let pageBytes = bytesMin
  let againMs = againFirstMs
  while (!writer.isOver()) {
    if (writer.isFull()) await drained(writer.outgoing)
    if (feed.ring?.after(writer.id) !== undefined) return
    const result = feed.ring === undefined ? 'nothing' : await passOnPage(deps, pageBytes)
    if (result === 'nothing') {
      await pause(againMs)
      againMs = Math.min(2 * againMs, againMaxMs)
    } else {
      againMs = againFirstMs
      pageBytes = result === 'taken' ? Math.min(2 * pageBytes, bytesMax) : bytesMin
    }
  }
}

/** Reads a page of history and writes as much of it as the client takes soon; the rest is dropped. Never rejects. */
async function passOnPage(deps: HistoryDeps, pageBytes: number): Promise<'taken' | 'left' | 'nothing'> {
  const { feed, writer, log } = deps
  try {
    using page = new DisposableStack()
    const gap = feed.gapAfter(writer.id)
    if (gap === undefined) return await renameOrEnd(feed, writer)
    // A client that is ahead of the feed waits until the log has come to where it is.
    if (gap.ranges.length === 0) return 'nothing'
    const events = await readPage(deps, page, gap.ranges, pageBytes)
    if (events === undefined) return 'left'
    // PostgreSQL is in an earlier state than the one that the feed has read.
    if (events.length === 0) return 'nothing'
    return (await writer.writeFrames(feed.framesAfter(gap.cursor, events))) ? 'taken' : 'left'
  } catch (error) {
    log.debug({ err: error }, 'history could not be read')
    return 'nothing'
  }
}

/**
 * Of a client that came before the feed could know in which epochs it reads. Ends its tail when a restore has taken away
 * what it has read: it comes again, and is refused with what there is to know.
 */
async function renameOrEnd(feed: Feed, writer: TailWriter): Promise<'nothing'> {
  try {
    writer.rename((await feed.normalize(writer.id)) ?? writer.id)
  } catch (error) {
    if (!(error instanceof SekaliError) || error.retryable) throw error
    writer.say(error.code)
    writer.end()
  }
  return 'nothing'
}

/** Resolves with `undefined` if the client has left meanwhile. What is read is held until `page` is disposed of. */
async function readPage(
  { writer, readLog, client, reads, pages }: HistoryDeps,
  page: DisposableStack,
  ranges: readonly Range[],
  pageBytes: number,
): Promise<RangeEvent[] | undefined> {
  const makeRoom = async () => void page.use(await pages.take(1, client))
  const pageLimits = { eventsMax, bytesMax: pageBytes }
  return await reads.run(client, makeRoom, async () => {
    if (writer.isOver()) return undefined
    return await readLog(
      ({ store }) => readRanges(store, ranges, pageLimits),
      (events) => events.length > 0,
    )
  })
}
