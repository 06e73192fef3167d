import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'

/** What a consumer remembers of the topics, so that it need not ask PostgreSQL about quiet ones. */
export interface Memory {
  /** The id up to which a stream was accounted for when a consumer last said so, this one or another. */
  readonly caughtUp: Map<TopicName, Position>
  /** How far this consumer itself has brought a topic. */
  readonly committed: Map<TopicName, Position>
  /** Topics on which entries stayed pending although everything is accounted for. */
  readonly untidy: Set<TopicName>
  /** Topics that have a row in PostgreSQL, as far as is known. */
  readonly known: Set<TopicName>
}

export const createMemory = (): Memory => ({
  caughtUp: new Map(),
  committed: new Map(),
  untidy: new Set(),
  known: new Set(),
})

/** How far a consumer's work has come, for whoever asks. */
export interface Progress {
  turns: number
  lastTurnAt: string | null
}
