/**
 * Folds a batch of events into the states of the keys that they touch. Pure, so that an event that cannot be folded is
 * found by folding again: everything before it counts, it and what follows does not.
 */

import type { StoredEvent } from '@sekali/core/event'
import { parseJson, stringifyAsRead } from '@sekali/core/json'
import type { Json, Projection, ProjectionEvent } from './define.ts'
import { letGo } from './let-go.ts'
import { limits } from './limits.ts'
import { snapshot } from './snapshot.ts'

/** The key of a projection without keys. */
const noKey = ''

export interface Folded {
  /** The new states by key, as JSON. */
  readonly states: ReadonlyMap<string, string>
  /** How many of the events are in them, from the first on. */
  readonly count: number
  /** Why the next one is not. */
  readonly failure?: { readonly event: StoredEvent; readonly message: string }
}

/** An event, read, and its key; or why there is none. */
type Item =
  | { readonly event: ProjectionEvent; readonly key: string | undefined }
  | { readonly error: unknown }

/** Events on their way into the states of some keys. */
export interface Batch {
  readonly events: readonly StoredEvent[]
  readonly items: readonly Item[]
  /** The keys whose states the fold begins with. */
  readonly keys: readonly string[]
}

/** Finds out which states a fold of these events needs. */
export function prepare(projection: Projection, events: readonly StoredEvent[]): Batch {
  const items: Item[] = []
  const keys = new Set<string>()
  for (const stored of events) {
    try {
      const event = eventOf(stored)
      const key = keyOf(projection, event)
      if (key !== undefined) keys.add(key)
      items.push({ event, key })
    } catch (error) {
      items.push({ error })
      break // nothing behind it will be folded
    }
  }
  return { events, items, keys: [...keys] }
}

/** Folds as many of the events as can be, in their order. `before` has the states so far, as JSON. */
export function fold(projection: Projection, batch: Batch, before: ReadonlyMap<string, string>): Folded {
  const { events } = batch
  let count = events.length
  let states = foldAll(projection, batch.items, before)
  let failure: Folded['failure']
  while (states instanceof Refused) {
    const event = events[states.at]
    if (event === undefined) throw new Error('a batch that is refused has an event that is to blame')
    failure = { event, message: states.message }
    count = states.at
    // Without it, and from the start: what apply() was given it may have changed before it threw.
    states = foldAll(projection, prepare(projection, events.slice(0, count)).items, before)
  }
  return { states, count, ...(failure === undefined ? {} : { failure }) }
}

class Refused {
  readonly message: string
  /** The event's place. */
  readonly at: number

  constructor(error: unknown, at: number) {
    this.message = describe(error)
    this.at = at
  }
}

function foldAll(
  projection: Projection,
  items: readonly Item[],
  before: ReadonlyMap<string, string>,
): Map<string, string> | Refused {
  const states = new Map<string, Json>()
  const initial = stringifyAsRead(snapshot(projection.initial).state)
  for (const [at, item] of items.entries()) {
    if ('error' in item) return new Refused(item.error, at)
    const { event, key } = item
    if (key === undefined) continue
    try {
      const known = states.get(key) // null is a state, too
      const state = known === undefined ? parseJson(before.get(key) ?? initial) : known
      states.set(key, checked(key, projection.apply(state, event)))
    } catch (error) {
      return new Refused(error, at)
    }
  }
  return new Map(states.entries().map(([key, state]) => [key, stringifyAsRead(state)]))
}

function eventOf({ payload: payloadText, ...event }: StoredEvent): ProjectionEvent {
  let parsed: ProjectionEvent['payload'] | undefined
  return {
    ...event,
    payloadText,
    get payload() {
      parsed ??= parseJson(payloadText) as { [name: string]: Json }
      return parsed
    },
  }
}

function keyOf(projection: Projection, event: ProjectionEvent): string | undefined {
  if (projection.key === undefined) return noKey
  const key: unknown = projection.key(event)
  if (key === undefined) return undefined
  letGo(key)
  if (typeof key !== 'string') throw new TypeError('key() must return a string, or undefined')
  if (key.length === 0 || key.length > limits.keyCharsMax || key.includes('\0') || !key.isWellFormed()) {
    throw new TypeError(
      `a key has 1 to ${limits.keyCharsMax} characters, without U+0000 or half surrogate pairs`,
    )
  }
  return key
}

/** Of each event, not of the last of a batch only: a state that is too large must not pass because the next is not. */
function checked(key: string, applied: unknown): Json {
  if (applied === undefined) throw new TypeError('apply() must return the state')
  if (applied instanceof Promise) {
    letGo(applied)
    throw new TypeError('apply() must return the state itself, not a promise of it')
  }
  const { state, bytesAtMost } = snapshot(applied)
  if (
    bytesAtMost <= limits.stateBytesMax ||
    Buffer.byteLength(stringifyAsRead(state)) <= limits.stateBytesMax
  ) {
    return state
  }
  throw new RangeError(
    `the state${key === noKey ? '' : ' of a key'} is larger than ${limits.stateBytesMax} bytes of JSON: use keys, or keep less`,
  )
}

/** The definition's own words, cut. What is thrown must not be an event's payload: it is on show. */
function describe(error: unknown): string {
  letGo(error)
  const message =
    error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no Error was thrown'
  return message.slice(0, limits.messageCharsMax).toWellFormed().replaceAll('\0', '')
}
