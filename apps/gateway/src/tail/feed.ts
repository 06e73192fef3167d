/**
 * A feed brings one topic's events, or a pattern's, out of PostgreSQL once for all who tail it.
 *
 * It begins at the topics' heads and follows them: whenever one has moved it reads what is new into its ring and tells
 * its readers. Seqs have no gap and become visible in their order, so to read between two of them can skip nothing,
 * whoever commits when. The ring holds as much as it may, and a reader whose place is older reads history by itself
 * up to where the feed is: `gapAfter` says what that is.
 */
import { setImmediate as nextRound, setTimeout as pause } from 'node:timers/promises'
import type { Cursor } from '@sekali/core/cursor'
import { TooManyTopics } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { limits } from '@sekali/core/limits'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import { isAnyTopic } from '@sekali/store/bounds'
import type { Store } from '@sekali/store/connect'
import type { Range, RangeEvent } from '@sekali/store/ranges'
import type { Heads } from '../heads/heads.ts'
import { createFeedCursor, rangesBetween } from './feed-cursor.ts'
import type { FeedReads } from './feed-reads.ts'
import { createProgress } from './progress.ts'
import { createRing, type Frame, type Ring } from './ring.ts'
import type { RingShare } from './ring-room.ts'

export interface Reader {
  /** There may be something new in the ring. Must not throw. */
  pump(): void
  /** Nothing will come any more. */
  end(): void
}

export interface Feed {
  readonly pattern: TopicPattern
  readonly readers: Set<Reader>
  /** Whether it has ended: by itself when the pattern has come to mean too many topics. */
  readonly isClosed: boolean
  /** `undefined` until it has begun. */
  readonly ring: Ring | undefined
  /** Begins, if it has not yet. Rejects with {@link TooManyTopics} or `StoreUnavailable`; it then goes on trying. */
  begin(): Promise<void>
  /**
   * The cursor as it is written here, or `undefined` for what is none of this topic or pattern. Rejects with
   * `StoreUnavailable`.
   */
  normalize(id: string): Promise<string | undefined>
  /**
   * Whether a cursor is ahead of the log in some topic: then it is of another log, or the database was restored from an
   * older one. Asks PostgreSQL when it is ahead of the feed, which may just be about to come so far. Rejects with
   * `StoreUnavailable`.
   */
  isAhead(id: string): Promise<boolean>
  /**
   * The cursor of an id, and what lies between it and the feed: nothing in topics where the cursor is ahead
   * of the feed.
   */
  gapAfter(id: string): { readonly cursor: Cursor; readonly ranges: readonly Range[] }
  /** The frames of events that follow a cursor, in the order in which they were read. */
  framesAfter(cursor: Cursor, events: readonly RangeEvent[]): Frame[]
  /** Lets go of what the ring may no longer hold. */
  trim(): void
  close(): void
}

export interface FeedDeps {
  readonly heads: Heads
  readonly store: Store
  readonly log: Logger
  readonly reads: FeedReads
  readonly room: RingShare
}

/** After a failure of PostgreSQL. */
const retryMs = 250
/** Readers that are told before others get their turn of the event loop. */
const toldAtOnceMax = 128

export function createFeed(pattern: TopicPattern, deps: FeedDeps): Feed {
  const { heads, store, log, reads, room } = deps
  const readers = new Set<Reader>()
  const closing = new AbortController()
  const { targets, ends, ...progress } = createProgress()
  let ring: Ring | undefined
  let beginning: Promise<void> | undefined
  let isAdvancing = false
  let isChecking = false

  const which = pattern.isPattern ? pattern : (pattern.text as string as TopicName)
  // Before the heads are read, so that no topic can come in between.
  const watch = heads.watch(which, (head) => {
    if (head.head < (ends.get(head.topicId) ?? 0)) void closeIfBehind()
    progress.aim(head)
    void advance()
  })

  /** An older state may be told late; but if PostgreSQL says it now, the log is no longer the one that was read. */
  async function closeIfBehind(): Promise<void> {
    if (isChecking || ring === undefined) return
    isChecking = true
    try {
      if (!(await isBeyondLog(ring.endId))) return
      log.warn({ pattern: pattern.text }, 'the log has gone back: its tails end')
      close()
    } catch (error) {
      stopIfTooMany(error)
    } finally {
      isChecking = false
    }
  }

  async function readTargets(): Promise<readonly Head[]> {
    const found = await heads.read(pattern)
    if (found.length > limits.patternTopicsMax)
      throw new TooManyTopics(`more than ${limits.patternTopicsMax}`)
    for (const head of found) progress.aim(head)
    return found
  }

  async function begin(): Promise<void> {
    const found = await readTargets()
    for (const { topicId, head } of found) progress.reach(topicId, head)
    ring = createRing(idOf(ends))
    tell()
    void advance()
  }

  async function keepBeginning(): Promise<void> {
    while (ring === undefined && !closing.signal.aborted) {
      await pause(retryMs)
      await begin().catch(stopIfTooMany)
    }
  }

  function stopIfTooMany(error: unknown): void {
    if (error instanceof TooManyTopics) close()
    else log.debug({ err: error }, 'feed could not read')
  }

  const { idOf, parse, framesAfter } = createFeedCursor(pattern, () => targets.keys().next().value ?? 0)

  const isBeyond = (id: string, heads: Cursor): boolean =>
    [...(parse(id) ?? [])].some(([topicId, seq]) => seq > (heads.get(topicId) ?? 0))

  async function isBeyondLog(id: string): Promise<boolean> {
    const found = await readTargets()
    void advance()
    return isBeyond(id, new Map(found.map(({ topicId, head }) => [topicId, head])))
  }

  /** Reads what is new until there is nothing. One at a time, and never beyond what its readers have been told of. */
  async function advance(): Promise<void> {
    if (isAdvancing || ring === undefined) return
    isAdvancing = true
    try {
      for (;;) {
        if (targets.size > limits.patternTopicsMax) return close()
        const ranges = progress.ahead()
        if (ranges.length === 0 || closing.signal.aborted) return
        const found = await readPage(ranges)
        if (found === undefined || closing.signal.aborted) continue
        // An announcement of what is not there: of another database, or made up.
        if (found.length === 0) for (const { topicId, after } of ranges) progress.aimBack(topicId, after)
        ring.append(framesAfter(ends, found))
        trim()
        for (const { topicId, event } of found) progress.reach(topicId, event.seq)
        await tell()
      }
    } finally {
      isAdvancing = false
    }
  }

  async function readPage(ranges: readonly Range[]): Promise<readonly RangeEvent[] | undefined> {
    try {
      return await reads.read(ranges)
    } catch (error) {
      log.debug({ err: error }, 'feed could not read')
      await pause(retryMs)
      return undefined
    }
  }

  function trim(): void {
    if (ring === undefined || closing.signal.aborted) return
    ring.trim(room.bytesMax)
    room.hold(ring.bytes)
  }

  async function tell(): Promise<void> {
    let told = 0
    for (const reader of readers) {
      reader.pump()
      if (++told % toldAtOnceMax === 0) await nextRound()
    }
  }

  function close(): void {
    if (closing.signal.aborted) return
    closing.abort()
    watch[Symbol.dispose]()
    room[Symbol.dispose]()
    for (const reader of [...readers]) reader.end()
  }

  return {
    pattern,
    readers,
    get isClosed() {
      return closing.signal.aborted
    },
    get ring() {
      return ring
    },
    begin() {
      beginning ??= begin().catch((error: unknown) => {
        if (error instanceof TooManyTopics) close()
        else void keepBeginning()
        throw error
      })
      return ring === undefined ? beginning : Promise.resolve()
    },
    async isAhead(id) {
      return isBeyond(id, ends) && (await isBeyondLog(id))
    },
    async normalize(id) {
      const cursor = parse(id)
      if (cursor === undefined) return undefined
      const unknown = () =>
        pattern.isPattern ? [...cursor.keys()].filter((topicId) => !targets.has(topicId)) : []
      if (unknown().length > 0) {
        await readTargets()
        void advance()
      }
      // Of another pattern. One that does not exist at all is ahead of the log.
      if (unknown().length > 0 && (await isAnyTopic(store, unknown()))) return undefined
      return idOf(cursor)
    },
    gapAfter(id) {
      const cursor = parse(id)
      if (cursor === undefined) throw new Error('an id that is not of this feed')
      return { cursor, ranges: rangesBetween(cursor, ends) }
    },
    framesAfter,
    trim,
    close,
  }
}
