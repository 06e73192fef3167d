import type { TopicName } from '../event/event.ts'
import { origin, type Position } from './position.ts'

/** How far a topic's stream is accounted for: what the topic's row remembers, and what a turn begins from. */
export interface Account {
  readonly topic: TopicName
  /** The stream's incarnation, known by its group's name; `null` when the topic has had no turn yet. */
  readonly group: string | null
  /** The id up to which entries are accounted for. */
  readonly position: Position
  /** How many entries of this incarnation have been accounted for. */
  readonly accounted: number
  /** How many entries had ever been added to this incarnation when a turn last looked. */
  readonly seen: number
  /** The id that Redis had given out last at that moment. */
  readonly seenId: Position
  /** The history of Redis's data in which the turn looked; `null` when nobody knows, or the stream is gone. */
  readonly history: string | null
  /** Whether the stream was deleted because it was drained and quiet: that it is gone is then no loss. */
  readonly retired: boolean
}

/** What a turn changes of an account. */
export type AccountAfter = Pick<Account, 'position' | 'accounted' | 'seen' | 'seenId' | 'history'>

/** Before anything of a stream is accounted for. */
export const beginning = {
  position: origin,
  accounted: 0,
  seen: 0,
  seenId: origin,
  history: null,
  retired: false,
} as const
