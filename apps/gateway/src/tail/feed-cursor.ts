import { type Cursor, formatCursor, moveCursor, parseCursor } from '@sekali/core/cursor'
import { formatPlace, parsePlace } from '@sekali/core/epoch-place'
import type { EpochPlace } from '@sekali/core/fork'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Range, RangeEvent } from '@sekali/store/ranges'
import { type Frame, frameOf } from './ring.ts'

/** What the ids of a feed's events mean: the place in the log, if it is of one topic, otherwise a cursor. */
export interface FeedCursor {
  idOf(cursor: Cursor): string
  /** `undefined` for what is no id of this feed. */
  parse(id: string): Cursor | undefined
  /** The events that follow a cursor, each with the id of the cursor behind it. */
  framesAfter(cursor: Cursor, events: readonly RangeEvent[]): Frame[]
}

/** `topicIdOf` returns the id of the one topic, or 0 while that topic does not exist. */
export function createFeedCursor({ isPattern }: TopicPattern, topicIdOf: () => number): FeedCursor {
  const ofPlace: Pick<FeedCursor, 'idOf' | 'parse'> = {
    idOf: (cursor) => formatPlace([...cursor.values()][0] ?? { epoch: 1, seq: 0 }),
    parse(id) {
      const place = parsePlace(id)
      return place && new Map([[topicIdOf(), place]])
    },
  }
  const ofCursor: Pick<FeedCursor, 'idOf' | 'parse'> = { idOf: formatCursor, parse: parseCursor }
  const { idOf, parse } = isPattern ? ofCursor : ofPlace
  return {
    idOf,
    parse,
    framesAfter(cursor, events) {
      const move = isPattern
        ? moveCursor(cursor)
        : (_topicId: number, place: EpochPlace) => formatPlace(place)
      return events.map(({ topicId, event }) => {
        const { epoch = 1, seq } = event
        return frameOf(move(topicId, { epoch, seq }), event)
      })
    },
  }
}

/** The ranges between two cursors; none for a topic where `from` is further. They are of the epochs of `to`. */
export const rangesBetween = (from: Cursor, to: Cursor): Range[] =>
  [...to].flatMap(([topicId, { epoch, seq: upTo }]) => {
    const after = from.get(topicId)?.seq ?? 0
    return after < upTo ? [{ topicId, epoch, after, upTo }] : []
  })
