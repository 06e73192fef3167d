import { type Cursor, formatCursor, moveCursor, parseCursor } from '@sekali/core/cursor'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Range, RangeEvent } from '@sekali/store/ranges'
import { type Frame, frameOf } from './ring.ts'

/** What the ids of a feed's events mean: the seq, if it is of one topic, otherwise a cursor. */
export interface FeedCursor {
  idOf(cursor: Cursor): string
  /** `undefined` for what is no id of this feed. */
  parse(id: string): Cursor | undefined
  /** The events that follow a cursor, each with the id of the cursor behind it. */
  framesAfter(cursor: Cursor, events: readonly RangeEvent[]): Frame[]
}

/** `topicIdOf` returns the id of the one topic, or 0 while that topic does not exist. */
export function createFeedCursor({ isPattern }: TopicPattern, topicIdOf: () => number): FeedCursor {
  const ofSeq: Pick<FeedCursor, 'idOf' | 'parse'> = {
    idOf: (cursor) => String([...cursor.values()][0] ?? 0),
    parse: (id) =>
      /^\d{1,16}$/.test(id) && Number(id) <= Number.MAX_SAFE_INTEGER
        ? new Map([[topicIdOf(), Number(id)]])
        : undefined,
  }
  const ofCursor: Pick<FeedCursor, 'idOf' | 'parse'> = { idOf: formatCursor, parse: parseCursor }
  const { idOf, parse } = isPattern ? ofCursor : ofSeq
  return {
    idOf,
    parse,
    framesAfter(cursor, events) {
      const move = isPattern ? moveCursor(cursor) : (_topicId: number, seq: number) => String(seq)
      return events.map(({ topicId, event }) => frameOf(move(topicId, event.seq), event))
    },
  }
}

/** The ranges between two cursors; none for a topic where `from` is further. */
export const rangesBetween = (from: Cursor, to: Cursor): Range[] =>
  [...to].flatMap(([topicId, upTo]) => {
    const after = from.get(topicId) ?? 0
    return after < upTo ? [{ topicId, after, upTo }] : []
  })
