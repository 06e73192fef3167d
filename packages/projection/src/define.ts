/**
 * A projection is state that is folded from the log: `state = apply(state, event)` for every event of its topics, in
 * the order of each topic. What makes it right is that it can be thrown away and folded anew, and comes out the same;
 * so `apply` and `key` must be pure: no clock, no chance, no network, no state of their own.
 *
 * Between topics there is no order, and a fold from the beginning takes them in another one than the first fold did. So
 * where a key gets events of several topics, `apply` must come to the same in any order of them (sums, counts, the
 * greatest, a place for each topic); where the order matters, put the topic into the key.
 */
import type { StoredEvent } from '@sekali/core/event'
import type { Json } from '@sekali/core/json'

export type { Json }

export interface ProjectionEvent extends Omit<StoredEvent, 'payload' | 'epoch'> {
  /**
   * The payload, parsed when it is first asked for. Whole numbers beyond 2^53 come as `bigint`, so none is rounded;
   * decimals come as the nearest double.
   */
  readonly payload: { [name: string]: Json }
  /** The payload's text as it was sent, digit for digit. */
  readonly payloadText: string
}

/** A state as it comes back: a `bigint` that a number can hold is a number again. `BigInt(…)` takes both. */
export type AsRead<State> = [Json] extends [State]
  ? State
  : State extends bigint
    ? number | bigint
    : State extends object
      ? { [Name in keyof State]: AsRead<State[Name]> }
      : State

/** `Read` is the state as `apply` is given it. */
export interface Projection<State = unknown, Read = AsRead<State>> {
  /** 1 to 64 of A-Z a-z 0-9 _ -. It is the path under `/projections`. */
  readonly name: string
  /**
   * 1, 2, 3 … Of several, the greatest counts. When it is raised, or the text of the file changes at all, the projection
   * is folded anew beside the live one. Raise it when something changes that the file imports: that is not noticed.
   */
  readonly version?: number
  /** Topics, by name or by pattern: `orders.eu.paid`, `orders.*`, `orders.>`, `>`. */
  readonly topics: string | readonly string[]
  /** What the fold begins with, for each key. JSON: plain objects, arrays, strings, numbers, bigints, … */
  readonly initial: State
  /**
   * The state after the event: a new one, or the given one, changed. Not a promise. At most 1 MiB of JSON a key. It is kept
   * as JSON: a `bigint` of it that is no larger than 2^53 is a number in the next call.
   */
  apply(state: Read, event: ProjectionEvent): State | Read
  /**
   * What becomes of an event at which `key` or `apply` throws, or returns what cannot be kept. `stop`, unless said: the
   * projection stops before it. `skip`: the event is counted as skipped and the fold goes on without it. An event whose
   * fold takes too long or too much memory always stops: elsewhere there may be time and memory for it.
   */
  readonly onError?: 'stop' | 'skip'
  /** With it there is a state for each key, of 1 to 512 characters. `undefined` passes the event over. */
  key?(event: ProjectionEvent): string | undefined
}

/**
 * Says what a projection is; it only helps TypeScript to see the types. Export what it returns. `apply` and `key` must be
 * pure: no clock, no chance, no network. Events of different topics come in any order, so a key that takes several topics
 * must come to the same in each of them.
 */
export const defineProjection = <State>(projection: Projection<State>): Projection<State> => projection
