/**
 * Brings one client from its place to the newest event and keeps it there.
 *
 * All it remembers is the cursor behind the last event it wrote. As long as the feed's ring has what follows, it
 * writes the ring's own bytes; otherwise it reads history, page by page, up to where the feed is. That is one loop
 * over one cursor, so there is no seam between the two.
 *
 * It writes only while the socket takes it, and queues nothing by itself. A page of history is dropped when the socket
 * is full, and read again from where it got to; so a slow client keeps nobody else from reading. One that takes
 * nothing for `stalledMs` is cut off.
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { type Range, type RangeEvent, readRanges } from '@sekali/store/ranges'
import type { BulkReads } from '../clients/bulk-reads.ts'
import type { Client } from '../clients/clients.ts'
import type { Slots } from '../clients/slots.ts'
import { drained, writePieces } from '../http/backpressure.ts'
import { limitStall } from '../sockets/stalls.ts'
import type { Feed, Reader } from './feed.ts'
import type { Frame, Segment } from './ring.ts'

export interface TailReader extends Reader {
  /** Says something if nothing was said for a while, so that both ends notice a connection that is dead. */
  beat(now: number): void
}

export interface TailReaderDeps {
  readonly feed: Feed
  readonly outgoing: ServerResponse
  /** The cursor behind which to begin. */
  readonly from: string
  /** Whether the client knows that place, because it named it. */
  readonly isFromKnown: boolean
  readonly source: string | undefined
  readonly store: Store
  readonly log: Logger
  readonly client: Client
  /** For reads of history. */
  readonly reads: BulkReads
  /** For pages of history that are held until they are written: more, because clients may be slow. */
  readonly pages: Slots
  /** A client that takes nothing for so long although there is something for it is cut off. */
  readonly stalledMs: number
}

const heartbeatMs = 15_000
/** Clients that end get so long to take what was written. */
const endMs = 1_000
/**
 * A page of history is given to the socket in pieces: so much a stalled client keeps in memory, or one event.
 */
const pageLimits = { pieceCharsMax: 16 * 1024, patienceMs: 500 } as const
/** After a failure of PostgreSQL, or when the client is ahead of the feed; twice as long each time. */
const againFirstMs = 50
const againMaxMs = 1_000
const historyEventsMax = 1_000
const historyBytesMin = 32 * 1024
const historyBytesMax = 512 * 1024

export function createTailReader(deps: TailReaderDeps): TailReader {
  const { feed, outgoing, source, store, log, client, reads, pages, stalledMs } = deps
  /** The cursor behind what was written or passed over, and the last that the client was told. */
  let place = deps.from
  let toldPlace = deps.from
  /** The ordinal of the next event, as long as the ring has it. */
  let ordinal: number | undefined
  let isInHistory = false
  let saidAt = performance.now()

  limitStall(outgoing, stalledMs)
  // A block without data is an empty event to readers that know no better, so it comes only with what is news. Whoever
  // follows from now on and is cut off before the first event would otherwise come again to a later now.
  say(deps.isFromKnown ? 'retry: 1000\n' : `retry: 1000\nid: ${place}\n\n`, place)

  const isOver = () => outgoing.destroyed || outgoing.writableEnded
  const isFull = () => outgoing.writableNeedDrain

  function say(what: Buffer | string, lastId: string): void {
    outgoing.write(what)
    toldPlace = lastId
    saidAt = performance.now()
  }

  function pump(): void {
    const { ring } = feed
    while (!isInHistory && !isOver() && !isFull()) {
      ordinal ??= ring?.after(place)
      if (ring === undefined || ordinal === undefined || ring.isGone(ordinal)) {
        ordinal = undefined
        isInHistory = true
        void catchUp().finally(() => {
          isInHistory = false
          pump()
        })
        return
      }
      const segment = ring.segmentWith(ordinal)
      if (segment === undefined) return
      const index = ordinal - segment.first
      ordinal = segment.first + segment.ids.length
      place = segment.ids.at(-1) ?? place
      sayChosen(segment, index)
    }
  }

  /** Writes what the client wants of a segment from `index` on. */
  function sayChosen({ bytes, ends, ids, sources }: Segment, index: number): void {
    const startOf = (at: number) => (at === 0 ? 0 : (ends[at - 1] ?? 0))
    if (source === undefined) {
      say(bytes.subarray(startOf(index)), place)
      return
    }
    const parts: Buffer[] = []
    let lastId = toldPlace
    for (let at = index; at < ends.length; at++) {
      if (sources[at] !== source) continue
      parts.push(bytes.subarray(startOf(at), ends[at]))
      lastId = ids[at] ?? lastId
    }
    if (parts.length > 0) say(joined(parts), lastId)
  }

  /**
   * Reads history until the ring has what follows, or the client is gone. Never rejects.
   *
   * It has no page among its variables: an async function that waits keeps all of them alive, also those whose block
   * has ended. 300 clients that took nothing held 550 MB that way.
   */
  async function catchUp(): Promise<void> {
    let bytesMax = historyBytesMin
    let againMs = againFirstMs
    const again = async () => {
      await pause(againMs)
      againMs = Math.min(2 * againMs, againMaxMs)
    }
    while (!isOver()) {
      if (isFull()) await drained(outgoing)
      if (feed.ring?.after(place) !== undefined) return
      const result = feed.ring === undefined ? 'nothing' : await passOnPage(bytesMax)
      if (result === 'nothing') {
        await again()
        continue
      }
      againMs = againFirstMs
      bytesMax = result === 'taken' ? Math.min(2 * bytesMax, historyBytesMax) : historyBytesMin
    }
  }

  /** Reads a page of history and writes as much of it as the client takes soon; the rest is dropped. Never rejects. */
  async function passOnPage(bytesMax: number): Promise<'taken' | 'left' | 'nothing'> {
    try {
      using page = new DisposableStack()
      const { cursor, ranges } = feed.gapAfter(place)
      if (ranges.length > 0) {
        const events = await readHistory(page, ranges, bytesMax)
        if (events === undefined) return 'left'
        return (await write(feed.framesAfter(cursor, events))) ? 'taken' : 'left'
      }
    } catch (error) {
      log.debug({ err: error }, 'history could not be read')
      return 'nothing'
    }
    return await endIfAhead()
  }

  /** Soon the feed will have come to where the client is; unless the log has gone back, and never will. */
  async function endIfAhead(): Promise<'nothing'> {
    if (await feed.isAhead(place).catch(() => false)) end()
    return 'nothing'
  }

  /** Resolves with `undefined` if the client has left meanwhile. What is read is held until `page` is disposed of. */
  async function readHistory(
    page: DisposableStack,
    ranges: readonly Range[],
    bytesMax: number,
  ): Promise<RangeEvent[] | undefined> {
    const limits = { eventsMax: historyEventsMax, bytesMax }
    const makeRoom = async () => void page.use(await pages.take(1, client))
    return await reads.run(client, makeRoom, async () =>
      isOver() ? undefined : await readRanges(store, ranges, limits),
    )
  }

  function end(): void {
    outgoing.end()
    setTimeout(() => outgoing.destroy(), endMs).unref()
  }

  /** Resolves with whether all was written, and taken. */
  async function write(frames: readonly Frame[]): Promise<boolean> {
    const chosen = source === undefined ? frames : frames.filter((frame) => frame.source === source)
    const texts = chosen.values().map(({ text }) => text)
    const written = await writePieces(outgoing, texts, pageLimits, (piece, count) => {
      place = chosen[count - 1]?.id ?? place
      say(piece, place)
    })
    if (written < chosen.length) return false
    place = frames.at(-1)?.id ?? place
    return !isFull()
  }

  outgoing.on('drain', pump)
  return {
    pump,
    beat(now) {
      // Of what a stalled client has not taken yet there need not be more; and it would count as progress.
      if (isOver() || outgoing.writableLength > 0 || now - saidAt < Math.min(heartbeatMs, stalledMs / 2))
        return
      // A comment is a line, and needs no blank one behind it.
      say(toldPlace === place ? ':\n' : `id: ${place}\n\n`, place)
    },
    end,
  }
}

/** In memory of its own: of Node's pool a client that takes nothing would keep a slab for each few events. */
function joined(parts: readonly Buffer[]): Buffer {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(whole, at)
  return whole
}
