import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'

/** What a consumer remembers of the topics, so that it need not ask PostgreSQL about quiet ones. */
export interface Memory {
  /** The id up to which a stream is accounted for, as this consumer has last found. */
  readonly caughtUp: Map<TopicName, Position>
  /** Topics whose entries stay pending although all of them are accounted for. */
  readonly untidy: Set<TopicName>
  /** Topics that have a row in PostgreSQL, as far as is known. */
  readonly known: Set<TopicName>
}

export const createMemory = (): Memory => ({
  caughtUp: new Map(),
  untidy: new Set(),
  known: new Set(),
})

/** What a consumer announces of its work. */
export interface Progress {
  turns: number
  lastTurnAt: string | null
}
