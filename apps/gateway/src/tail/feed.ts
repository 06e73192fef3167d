/**
 * A feed brings one topic's events, or a pattern's, out of PostgreSQL once for all who tail it.
 *
 * It begins at the topics' heads and follows them: whenever a head has moved, it reads the new events into its ring and
 * wakes its readers. Seqs have no gap and become visible in order. So a read between two seqs skips nothing, in whatever
 * order transactions commit. A reader whose cursor is older than the ring reads the events in between from PostgreSQL by
 * itself: `gapAfter` returns their range.
 *
 * targets.ts follows the heads, follower.ts reads, feed-ids.ts answers what an id means. Here a feed begins and ends.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { TooManyTopics } from '@sekali/core/errors'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { Heads } from '../heads/heads.ts'
import { createFeedIds, type FeedIds } from './feed-ids.ts'
import { createFeedReaders, type Reader } from './feed-readers.ts'
import type { FeedReads } from './feed-reads.ts'
import { createFollower, retryMs } from './follower.ts'
import { createProgress } from './progress.ts'
import type { Ring } from './ring.ts'
import type { RingShare } from './ring-room.ts'
import { oneAtATime } from './rounds.ts'
import { followHeads } from './targets.ts'

export interface Feed extends Pick<FeedIds, 'normalize' | 'spell' | 'gapAfter' | 'framesAfter'> {
  readonly pattern: TopicPattern
  readonly readers: Set<Reader>
  /** Whether it has ended: by itself when the pattern has come to mean too many topics. */
  readonly isClosed: boolean
  /** `undefined` until it has begun. */
  readonly ring: Ring | undefined
  /** Begins, if it has not yet. Rejects with {@link TooManyTopics} or `StoreUnavailable`; it then goes on trying. */
  begin(): Promise<void>
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

export function createFeed(pattern: TopicPattern, { heads, store, log, reads, room }: FeedDeps): Feed {
  const closing = new AbortController()
  const { signal } = closing
  const readers = createFeedReaders()
  const progress = createProgress()
  const onMoved = () => void follower.advance()
  // It watches before it reads, so that no topic can come in between.
  const targets = followHeads({ pattern, heads, progress, onMoved, onOther: () => void closeIfForked() })
  const { idOf, ...ids } = createFeedIds({
    pattern,
    store,
    progress,
    readTargets: targets.read,
  })
  const hooks = { onNew: readers.pumpAll, onTooMany: () => close() }
  const follower = createFollower({ ...hooks, ...ids, progress, reads, room, log, signal })

  async function begin(): Promise<void> {
    const found = await targets.read()
    const isInDoubt = found.some(progress.isOther)
    for (const head of found) progress.start(head)
    follower.beginAfter(idOf(progress.ends))
    if (isInDoubt) void closeIfForked()
    void readers.pumpAll()
    onMoved()
  }

  /**
   * If PostgreSQL has another epoch now, the log was restored to an earlier state and goes on otherwise than it was read.
   * Whoever comes again with the last id learns whether that id still means the same. That a head is behind says nothing by
   * itself: after a failover to a standby that was behind the same log is written once more.
   */
  const closeIfForked = oneAtATime(async () => {
    const found = follower.ring === undefined ? undefined : await targets.read().catch(onFailure)
    const forked = found?.filter(progress.isOther).map(({ topic }) => topic) ?? []
    if (forked.length === 0 || signal.aborted) return
    log.warn({ pattern: pattern.text, topics: forked }, 'a log has forked: its tails end')
    close(`log_restored: ${forked.join(', ')}`)
  })

  function onFailure(error: unknown): void {
    if (error instanceof TooManyTopics) close()
    else log.debug({ err: error }, 'feed could not read')
  }

  /** `why` is what its readers are told. */
  function close(why?: string): void {
    if (signal.aborted) return
    closing.abort()
    targets[Symbol.dispose]()
    room[Symbol.dispose]()
    readers.endAll(why)
  }

  return {
    ...ids,
    pattern,
    readers: readers.all,
    get isClosed() {
      return signal.aborted
    },
    get ring() {
      return follower.ring
    },
    begin: createStart({ begin, isBegun: () => follower.ring !== undefined, onFailure, signal }),
    trim: follower.trim,
    close: () => close(),
  }
}

interface StartDeps {
  readonly begin: () => Promise<void>
  readonly isBegun: () => boolean
  readonly onFailure: (error: unknown) => void
  readonly signal: AbortSignal
}

/** Begins once for all who call it. After a failure it goes on trying until it has begun or the signal is aborted. */
function createStart({ begin, isBegun, onFailure, signal }: StartDeps): Feed['begin'] {
  let beginning: Promise<void> | undefined

  async function keepTrying(): Promise<void> {
    while (!isBegun() && !signal.aborted) {
      await pause(retryMs)
      await begin().catch(onFailure)
    }
  }

  return () => {
    beginning ??= begin().catch((error: unknown) => {
      onFailure(error)
      void keepTrying()
      throw error
    })
    return isBegun() ? Promise.resolve() : beginning
  }
}
