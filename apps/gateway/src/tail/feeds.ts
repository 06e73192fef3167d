/**
 * The feeds of this process, one for each topic or pattern that is tailed; their number is bounded. A feed stays for a
 * while after its last reader, because clients come back. But when there is no room for another, the feed that has been
 * without readers for longest gives way.
 */
import { ClientLimit } from '@sekali/core/errors'
import type { TopicPattern } from '@sekali/core/pattern'
import { createBudget, type Share } from '../clients/budget.ts'
import type { Client } from '../clients/clients.ts'
import { createFeed, type Feed, type FeedDeps } from './feed.ts'
import { createFeedReads } from './feed-reads.ts'
import { createRingRoom } from './ring-room.ts'

/** A feed that stays until this is disposed of. */
export interface FeedInUse extends Disposable {
  readonly feed: Feed
  /** Who uses it. */
  readonly client: Client
}

export interface Feeds {
  /** The feed of a pattern. Throws `Overloaded`, or `ClientLimit` when this client has caused most of them. */
  use(pattern: TopicPattern, client: Client): FeedInUse
  /** Gives up feeds that were left long ago, and what rings hold that others have more need of. */
  tidy(now: number): void
  readonly size: number
  close(): void
}

export interface FeedsLimits {
  /** Topics; a pattern counts as `patternWeight` of them. */
  readonly feedsMax: number
  /** How long a feed stays after its last reader. */
  readonly lingerMs: number
}

/** A pattern costs more than a topic: an event concerns all that match, and each keeps a cursor over its topics. */
const patternWeight = 4
/** Bytes that all rings together may hold, and one of them. */
const ringsBytesMax = 64 * 1024 * 1024
const ringBytesMax = 4 * 1024 * 1024

interface Entry {
  readonly feed: Feed
  /** Who caused it. */
  readonly client: Client
  readonly share: Share
  uses: number
}

export type FeedsDeps = Pick<FeedDeps, 'heads' | 'store' | 'log'>

export function createFeeds(deps: FeedsDeps, { feedsMax, lingerMs }: FeedsLimits): Feeds {
  /** By the pattern's text. */
  const entries = new Map<string, Entry>()
  /** Those without readers, and since when, in that order. */
  const left = new Map<Entry, number>()
  const budget = createBudget(feedsMax, 'too many topics and patterns are tailed')
  const rings = createRingRoom(ringsBytesMax, ringBytesMax)
  const reads = createFeedReads(deps.store)

  function drop(entry: Entry): void {
    left.delete(entry)
    if (entries.get(entry.feed.pattern.text) === entry) entries.delete(entry.feed.pattern.text)
    entry.share[Symbol.dispose]()
    entry.feed.close()
  }

  function create(pattern: TopicPattern, client: Client): Entry {
    const share = budget.share(client)
    const makeRoom = (error: unknown) => drop(toGiveWay(left.keys(), client, error))
    holdUntilRoom(share, pattern.isPattern ? patternWeight : 1, makeRoom)
    const feed = createFeed(pattern, { ...deps, reads, room: rings.share() })
    const entry = { feed, client, share, uses: 0 }
    entries.set(pattern.text, entry)
    return entry
  }

  function leave(entry: Entry): void {
    entry.uses -= 1
    if (entry.uses > 0) return
    if (entry.feed.isClosed) drop(entry)
    else left.set(entry, performance.now())
  }

  return {
    use(pattern, client) {
      const found = entries.get(pattern.text)
      const entry = found === undefined || found.feed.isClosed ? create(pattern, client) : found
      entry.uses += 1
      left.delete(entry)
      return inUse(entry.feed, client, () => leave(entry))
    },
    tidy(now) {
      for (const [entry, since] of left) {
        if (entry.feed.isClosed || now - since >= lingerMs) drop(entry)
      }
      for (const { feed } of entries.values()) feed.trim()
    },
    get size() {
      return entries.size
    },
    close() {
      for (const entry of [...entries.values()]) drop(entry)
    },
  }
}

/**
 * The feed that was left for longest. A client that has its share already gives up only feeds it caused itself; or else it
 * would close what the others left, one after the other, and be refused all the same. Throws the error if there is none.
 */
function toGiveWay(left: Iterable<Entry>, client: Client, error: unknown): Entry {
  for (const entry of left) if (!(error instanceof ClientLimit) || entry.client === client) return entry
  throw error
}

/** Holds an amount. As long as it does not fit, `makeRoom` frees some, or throws the error. */
function holdUntilRoom(share: Share, amount: number, makeRoom: (error: unknown) => void): void {
  for (;;) {
    try {
      share.hold(amount)
      return
    } catch (error) {
      makeRoom(error)
    }
  }
}

function inUse(feed: Feed, client: Client, onLeft: () => void): FeedInUse {
  let isLeft = false
  return {
    feed,
    client,
    [Symbol.dispose]() {
      if (!isLeft) onLeft()
      isLeft = true
    },
  }
}
