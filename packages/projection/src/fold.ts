/**
 * Folds a batch of events into the states of the keys that they touch. When `apply` throws, the fold stops: the events
 * before it count, it and the ones after it do not. Or the fold skips the event, if the definition asks for that. An event
 * may have changed a state before it threw; since folds are pure, folding the events before it again restores the state.
 */

import type { StoredEvent } from '@sekali/core/event'
import { parseJson, stringifyAsRead } from '@sekali/core/json'
import type { Json, Projection, ProjectionEvent } from './define.ts'
import { letGo } from './let-go.ts'
import { limits } from './limits.ts'
import { snapshot } from './snapshot.ts'

/** The key of a projection without keys. */
export const noKey = ''

export interface Folded {
  /** The new states by key, as JSON. */
  readonly states: ReadonlyMap<string, string>
  /** How many events, from the first on, are in the states or skipped. */
  readonly count: number
  /** The skipped events among them, if any. */
  readonly skipped?: { readonly count: number; readonly last: Refusal }
  /** Why the fold stopped before the next event. */
  readonly failure?: Refusal
}

/** An event that cannot be folded, and why. */
export interface Refusal {
  readonly event: StoredEvent
  readonly message: string
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

/** Called with an event's index in the batch before the definition gets it, for one event in {@link notedEvents}. */
export type Note = (at: number) => void

/** A note costs some microseconds, as much as half a fold. */
export const notedEvents = 16

const noNote: Note = () => undefined

/** Parses the events and finds the keys whose states a fold of them needs. */
export function prepare(projection: Projection, events: readonly StoredEvent[], note = noNote): Batch {
  const items: Item[] = []
  const keys = new Set<string>()
  for (const [at, stored] of events.entries()) {
    if (at % notedEvents === 0) note(at)
    try {
      const event = eventOf(stored)
      const key = keyOf(projection, event)
      if (key !== undefined) keys.add(key)
      items.push({ event, key })
    } catch (error) {
      items.push({ error })
      if (!maySkip(projection, error)) break // nothing behind it will be folded
    }
  }
  return { events, items, keys: [...keys] }
}

/** Folds as many of the events as can be, in their order. `before` has the states so far, as JSON. */
export function fold(
  projection: Projection,
  { events, items }: Batch,
  before: ReadonlyMap<string, string>,
  note = noNote,
): Folded {
  const initial = stringifyAsRead(snapshot(projection.initial).state)
  const states = new Map<string, Growing>()
  let skipped: Folded['skipped']
  const result = (count: number, failure?: Refusal): Folded => ({
    states: textsOf(states),
    count,
    ...(skipped && { skipped }),
    ...(failure && { failure }),
  })
  for (const [at, item] of items.entries()) {
    if (at % notedEvents === 0) note(at)
    const event = events[at] as StoredEvent
    const key = 'error' in item ? undefined : item.key
    try {
      if ('error' in item) throw item.error
      if (key === undefined) continue
      const state = states.get(key) ?? grow(before.get(key) ?? initial)
      states.set(key, state)
      state.value = checked(key, projection.apply(state.value, item.event))
      state.since.push(event)
      state.isNew = true
    } catch (error) {
      const refusal = { event, message: describe(error) }
      const spoilt = key === undefined ? undefined : states.get(key)
      if (spoilt && !undo(projection, spoilt)) return notPure(events)
      if (!maySkip(projection, error)) return result(at, refusal)
      skipped = { count: (skipped?.count ?? 0) + 1, last: refusal }
    }
  }
  return result(events.length)
}

/** A state that grows with each event. */
interface Growing {
  value: Json
  /** JSON: what it was before `since`. */
  base: string
  since: StoredEvent[]
  isNew: boolean
}

const grow = (base: string): Growing => ({ value: parseJson(base), base, since: [], isNew: false })

const textsOf = (states: ReadonlyMap<string, Growing>): Map<string, string> =>
  new Map([...states].flatMap(([key, { value, isNew }]) => (isNew ? [[key, stringifyAsRead(value)]] : [])))

/**
 * Restores a state that an event may have changed before it threw. It folds from the events' texts, because the definition
 * may have changed the parsed events as well. Each event is folded again at most once, however many are skipped.
 * False if an event throws that did not throw before.
 */
function undo(projection: Projection, state: Growing): boolean {
  let value = parseJson(state.base)
  try {
    for (const stored of state.since) {
      const event = eventOf(stored)
      const key = keyOf(projection, event) ?? noKey
      value = checked(key, projection.apply(value, event))
    }
  } catch (error) {
    letGo(error)
    return false
  }
  Object.assign(state, { value, base: stringifyAsRead(value), since: [] })
  return true
}

function notPure([event]: readonly StoredEvent[]): Folded {
  if (event === undefined) throw new Error('a batch that is refused has an event')
  const message = 'the definition is not pure: an event that it had folded threw when it was folded again'
  return { states: new Map(), count: 0, failure: { event, message } }
}

/** The limits of a machine must not decide what is skipped: on another one the same fold would give another state. */
function maySkip({ onError }: Projection, error: unknown): boolean {
  // V8, Node and WebAssembly each word the lack of memory in their own way.
  const isOfTheMachine =
    error instanceof RangeError && /call stack|allocat|grow instance memory/.test(error.message)
  return onError === 'skip' && !isOfTheMachine
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

/** Checked after each event, not only at the end of a batch: whether a state is too large must not depend on the cut. */
function checked(key: string, applied: unknown): Json {
  if (applied === undefined) throw new TypeError('apply() must return the state')
  if (applied instanceof Promise) {
    letGo(applied)
    throw new TypeError('apply() must return the state itself, not a promise of it')
  }
  const { state, bytesAtMost } = snapshot(applied)
  if (
    bytesAtMost <= limits.stateBytesMax ||
    new TextEncoder().encode(stringifyAsRead(state)).length <= limits.stateBytesMax
  ) {
    return state
  }
  throw new RangeError(
    `the state${key === noKey ? '' : ' of a key'} is larger than ${limits.stateBytesMax} bytes of JSON: use keys, or keep less`,
  )
}

/** The message of an error, cut. What is no Error may be an event's payload, and is not shown. */
function describe(error: unknown): string {
  letGo(error)
  const message =
    error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no Error was thrown'
  return message.slice(0, limits.messageCharsMax).toWellFormed().replaceAll('\0', '')
}
