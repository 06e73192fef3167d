/**
 * Folds a batch of events into the states of the keys that they touch. Pure, so that an event that cannot be folded is
 * found by folding again: everything before it counts, it and what follows does not.
 */
import type { StoredEvent } from '@sekali/core/event'
import type { Json, Projection, ProjectionEvent } from './define.ts'
import { parseJson, stringifyJson } from './json.ts'
import { limits } from './limits.ts'

/** The key of a projection without keys. */
export const noKey = ''

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
  // Read anew: what apply() was given the first time it may have changed.
  const attempt = (count: number) =>
    foldAll(projection, prepare(projection, events.slice(0, count)).items, before)
  const whole = foldAll(projection, batch.items, before)
  if (!(whole instanceof Refused)) return { states: whole, count: events.length }

  // The shortest beginning that is refused ends with the culprit. Where apply() threw, that is known; where a state
  // grew too large or is not JSON, it is found by halving.
  let { message } = whole
  let [good, bad] = [0, whole.at === undefined ? events.length : whole.at + 1]
  let next = whole.at ?? Math.floor(bad / 2)
  let states = new Map<string, string>()
  while (bad - good > 1) {
    const tried = attempt(next)
    if (tried instanceof Refused)
      [bad, message] = [tried.at === undefined ? next : tried.at + 1, tried.message]
    else [good, states] = [next, tried]
    next = Math.floor((good + bad) / 2)
  }
  const event = events[good]
  if (event === undefined) throw new Error('a batch that is refused has an event that is to blame')
  return { states, count: good, failure: { event, message } }
}

class Refused {
  readonly message: string
  /** The event's place, unless only the states at the end tell that something is wrong. */
  readonly at: number | undefined

  constructor(error: unknown, at?: number) {
    this.message = describe(error)
    this.at = at
  }
}

function foldAll(
  projection: Projection,
  items: readonly Item[],
  before: ReadonlyMap<string, string>,
): Map<string, string> | Refused {
  const states = new Map<string, unknown>()
  const initial = stringifyJson(projection.initial)
  for (const [at, item] of items.entries()) {
    if ('error' in item) return new Refused(item.error, at)
    const { event, key } = item
    if (key === undefined) continue
    try {
      const state = states.has(key) ? states.get(key) : parseJson(before.get(key) ?? initial)
      states.set(key, checked(projection.apply(state, event)))
    } catch (error) {
      return new Refused(error, at)
    }
  }
  try {
    return new Map(states.entries().map(([key, state]) => [key, textOf(key, state)]))
  } catch (error) {
    return new Refused(error)
  }
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
  if (typeof key !== 'string') throw new TypeError('key() must return a string, or undefined')
  if (key.length === 0 || key.length > limits.keyCharsMax || key.includes('\0') || !key.isWellFormed()) {
    throw new TypeError(
      `a key has 1 to ${limits.keyCharsMax} characters, without U+0000 or half surrogate pairs`,
    )
  }
  return key
}

function checked(state: unknown): unknown {
  if (state === undefined) throw new TypeError('apply() must return the state')
  if (typeof state === 'object' && state !== null && 'then' in state && typeof state.then === 'function') {
    Promise.resolve(state).catch(() => undefined) // its failure is nobody's to see any more
    throw new TypeError('apply() must return the state itself, not a promise of it')
  }
  return state
}

function textOf(key: string, state: unknown): string {
  const text = stringifyJson(state)
  if (Buffer.byteLength(text) <= limits.stateBytesMax) return text
  throw new RangeError(
    `the state${key === noKey ? '' : ' of a key'} is larger than ${limits.stateBytesMax} bytes of JSON: use keys, or keep less`,
  )
}

/** The definition's own words, cut. What is thrown must not be an event's payload: it is on show. */
function describe(error: unknown): string {
  const message =
    error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no Error was thrown'
  return message.slice(0, limits.messageCharsMax).toWellFormed().replaceAll('\0', '')
}
