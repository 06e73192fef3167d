/**
 * Folds a batch of events into the states of the keys that they touch. Pure, so that what an event has spoilt before it
 * threw is mended by folding again what came before it. The fold stops at such an event: everything before it counts, it
 * and what follows does not. Or it skips the event, if the definition asks for that.
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
  /** How many of the events are in them or skipped, from the first on. */
  readonly count: number
  /** Those of them that are skipped, if any. */
  readonly skipped?: { readonly count: number; readonly last: Refusal }
  /** Why the next one is not in them. */
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

/** Is called before the definition gets the first of each {@link notedEvents}, with its place. */
export type Note = (at: number) => void

/** A note costs some microseconds, as much as half a fold. */
export const notedEvents = 16

const noNote: Note = () => undefined

/** Finds out which states a fold of these events needs. */
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
 * Makes a state what it was before an event that threw, which may have changed it first. From the text, because events
 * that are folded may have been changed as well. Each event is folded again once at most, however many are skipped.
 * False if the definition does not come to the same again.
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

/** What is up to the machine must not decide what is in a state: elsewhere, or folded anew, it would be another one. */
function maySkip({ onError }: Projection, error: unknown): boolean {
  // V8, Node and WebAssembly each have words of their own for memory that there is not.
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
