import type { TopicName } from '../event/event.ts'
import type { Position } from './position.ts'

/** How far a topic has come. */
export interface Head {
  /** The store's number of the topic, as cursors have it. */
  readonly topicId: number
  readonly topic: TopicName
  /** The last seq that was given out; 0 when nothing is stored yet. */
  readonly head: number
  /** The epoch of the topic's log: 1 unless it was restored to an earlier state. See fork.ts. */
  readonly epoch: number
  /** The entry id up to which the topic is accounted for: it moves also when all was known already. */
  readonly position: Position
}
