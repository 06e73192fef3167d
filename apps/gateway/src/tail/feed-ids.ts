import type { Cursor } from '@sekali/core/cursor'
import type { Head } from '@sekali/core/head'
import type { TopicPattern } from '@sekali/core/pattern'
import { isAnyTopic } from '@sekali/store/bounds'
import type { Store } from '@sekali/store/connect'
import type { Range } from '@sekali/store/ranges'
import { createFeedCursor, type FeedCursor, rangesBetween } from './feed-cursor.ts'
import type { Progress } from './progress.ts'

/** Answers what an id that a client names means to a feed. */
export interface FeedIds extends Pick<FeedCursor, 'idOf' | 'framesAfter'> {
  /**
   * The id as this feed writes it, or `undefined` if it is not of this topic or pattern. Rejects with
   * `StoreUnavailable`.
   */
  normalize(id: string): Promise<string | undefined>
  /**
   * Whether an id is ahead of the log in some topic: then it is of another log, or the database was restored from an
   * older one. An id that is ahead of the feed alone may be reached in a moment, so PostgreSQL decides. Rejects with
   * `StoreUnavailable`.
   */
  isAhead(id: string): Promise<boolean>
  /** The same for an id that is not ahead of the feed: whether the log has gone back behind it. */
  isAheadOfLog(id: string): Promise<boolean>
  /**
   * The cursor of an id, and what lies between it and the feed: nothing in topics where the cursor is ahead
   * of the feed.
   */
  gapAfter(id: string): { readonly cursor: Cursor; readonly ranges: readonly Range[] }
}

export interface FeedIdsDeps {
  readonly pattern: TopicPattern
  readonly store: Store
  readonly progress: Pick<Progress, 'targets' | 'ends'>
  /** Reads how far the topics have come, into `progress` too. */
  readonly readTargets: () => Promise<readonly Head[]>
}

export function createFeedIds({ pattern, store, progress, readTargets }: FeedIdsDeps): FeedIds {
  const { targets, ends } = progress
  const { idOf, parse, framesAfter } = createFeedCursor(pattern, () => targets.keys().next().value ?? 0)

  const isBeyond = (id: string, heads: Cursor): boolean =>
    [...(parse(id) ?? [])].some(([topicId, seq]) => seq > (heads.get(topicId) ?? 0))

  async function isAheadOfLog(id: string): Promise<boolean> {
    const found = await readTargets()
    return isBeyond(id, new Map(found.map(({ topicId, head }) => [topicId, head])))
  }

  return {
    idOf,
    framesAfter,
    isAheadOfLog,
    async isAhead(id) {
      return isBeyond(id, ends) && (await isAheadOfLog(id))
    },
    async normalize(id) {
      const cursor = parse(id)
      if (cursor === undefined) return undefined
      const unknown = () =>
        pattern.isPattern ? [...cursor.keys()].filter((topicId) => !targets.has(topicId)) : []
      if (unknown().length > 0) await readTargets()
      // A topic that exists is of another pattern. One that does not exist at all is ahead of the log.
      if (unknown().length > 0 && (await isAnyTopic(store, unknown()))) return undefined
      return idOf(cursor)
    },
    gapAfter(id) {
      const cursor = parse(id)
      if (cursor === undefined) throw new Error('an id that is not of this feed')
      return { cursor, ranges: rangesBetween(cursor, ends) }
    },
  }
}
