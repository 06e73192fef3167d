import type { Bound } from '@sekali/core/bound'
import type { Cursor } from '@sekali/core/cursor'
import { CursorAhead } from '@sekali/core/errors'
import type { EpochPlace } from '@sekali/core/fork'
import type { Head } from '@sekali/core/head'
import type { TopicPattern } from '@sekali/core/pattern'
import { isAnyTopic } from '@sekali/store/bounds'
import type { Store } from '@sekali/store/connect'
import { requireGood } from '@sekali/store/epochs'
import { readForks } from '@sekali/store/forks'
import type { Range } from '@sekali/store/ranges'
import { createFeedCursor, type FeedCursor, rangesBetween } from './feed-cursor.ts'
import type { Progress } from './progress.ts'

/** Answers what an id that a client names means to a feed. */
export interface FeedIds extends Pick<FeedCursor, 'idOf' | 'framesAfter'> {
  /**
   * The id as this feed writes it, in the epochs in which it reads; `undefined` if it is not of this topic or pattern.
   * Rejects with `LogRestored` if a restore has taken away what its reader has read, with `CursorAhead` if it is of an
   * epoch or a topic that is not there, and with `StoreUnavailable`. An id beyond the end of the log is good: the log may
   * be on its way there once more.
   */
  normalize(id: string): Promise<string | undefined>
  /** The same as far as it is known without PostgreSQL. */
  spell(id: string): string | undefined
  /**
   * The cursor of an id, and what lies between it and the feed: nothing in topics where the cursor is ahead of the feed.
   * `undefined` if the id is of other epochs than the feed reads, and has to be normalized.
   */
  gapAfter(id: string): { readonly cursor: Cursor; readonly ranges: readonly Range[] } | undefined
}

export interface FeedIdsDeps {
  readonly pattern: TopicPattern
  readonly store: Store
  readonly progress: Pick<Progress, 'targets' | 'ends' | 'epochOf'>
  /** Reads how far the topics have come, into `progress` too. */
  readonly readTargets: () => Promise<readonly Head[]>
}

export function createFeedIds({ pattern, store, progress, readTargets }: FeedIdsDeps): FeedIds {
  const { targets, ends, epochOf } = progress
  const { idOf, parse, framesAfter } = createFeedCursor(pattern, () => targets.keys().next().value ?? 0)

  /** The topics of a cursor that it has read in another epoch than the feed's. */
  const othersIn = (cursor: Cursor): number[] =>
    [...cursor].flatMap(([id, { epoch, seq }]) => (seq > 0 && epoch !== (epochOf(id) ?? 1) ? [id] : []))

  /** The same cursor, if it is good, in the epochs in which the feed reads. */
  async function judge(cursor: Cursor): Promise<Cursor> {
    if (othersIn(cursor).length === 0) return cursor
    const forked = await readForks(store, [...cursor.keys()])
    const asked = [...cursor.keys()].map((id) => {
      const { topic: name = '', epoch = 1, forks = [] } = forked.get(id) ?? {}
      return { id, name, head: 0, epoch, forks }
    })
    requireGood(boundOf(cursor), asked, false)
    return new Map([...cursor].map(([id, { epoch, seq }]) => [id, { epoch: epochOf(id) ?? epoch, seq }]))
  }

  /** As its client names it: of one topic it is a place in its log. */
  const boundOf = (cursor: Cursor): Bound =>
    pattern.isPattern ? cursor : (cursor.values().next().value as EpochPlace)

  return {
    idOf,
    framesAfter,
    spell(id) {
      const cursor = parse(id)
      return cursor && idOf(cursor)
    },
    async normalize(id) {
      const cursor = parse(id)
      if (cursor === undefined) return undefined
      const unknown = () =>
        pattern.isPattern ? [...cursor.keys()].filter((topicId) => !targets.has(topicId)) : []
      if (unknown().length > 0) await readTargets()
      if (unknown().length > 0) {
        // A topic that exists is of another pattern.
        if (await isAnyTopic(store, unknown())) return undefined
        throw new CursorAhead('a cursor names a topic that is not there')
      }
      return idOf(await judge(cursor))
    },
    gapAfter(id) {
      const cursor = parse(id)
      if (cursor === undefined) throw new Error('an id that is not of this feed')
      return othersIn(cursor).length > 0 ? undefined : { cursor, ranges: rangesBetween(cursor, ends) }
    },
  }
}
