/** Folds events without a server: what a projector would come to, in a test of a definition. It is the projector's own fold. */
import { SekaliError } from '@sekali/core/errors'
import { type StoredEvent, TopicName } from '@sekali/core/event'
import { type Json, parseJson, stringifyJson } from '@sekali/core/json'
import { explainTimestamp, normalizeTimestamp } from '@sekali/core/timestamp'
import * as v from 'valibot'
import type { AsRead, Projection } from './define.ts'
import { fold, noKey, prepare } from './fold.ts'
import { validate } from './validate.ts'

/** An event as the API has it. What a definition does not look at may be left out. */
export interface EventToFold {
  readonly topic: string
  /** An object, or its JSON text to the digit. */
  readonly payload: object | string
  /** If it is not said, the next of its topic: 1, 2, 3 … */
  readonly seq?: number
  readonly event_id?: string
  /** ISO 8601 with an offset. If it is not said, 2025-01-01 and a second more with each event. */
  readonly timestamp?: string
  readonly source?: string
  readonly received_at?: string
  readonly stored_at?: string
}

export interface FoldAllOptions {
  /** Called for each event that `onError: 'skip'` leaves out, with why. */
  readonly onSkip?: (event: EventToFold, message: string) => void
}

/** An event at which a projector would stop. `cause` is what the definition threw, if it threw. */
export class FoldStopped extends SekaliError {
  readonly code = 'fold_stopped'
  readonly retryable = false
  readonly event: EventToFold

  constructor(message: string, event: EventToFold, options?: ErrorOptions) {
    super(message, options)
    this.event = event
  }
}

/**
 * The state of each key, in the order in which keys came up; a definition without keys has one state, under ''. Events of
 * other topics are passed over. The others are folded in the given order: between topics a projector has none.
 * Throws FoldStopped where a projector would stop, and TypeError for a definition or an event that is none. Time and
 * memory are not watched: a definition that never ends does not end here.
 */
export function foldAll<State>(
  projection: Projection<State>,
  events: Iterable<EventToFold>,
  { onSkip }: FoldAllOptions = {},
): Map<string, AsRead<State>> {
  const { topicRegex, keyed, initial } = validate(projection)
  const { watched, thrown } = watch(projection as unknown as Projection)
  const heads = new Map<string, number>()
  const states = new Map<string, string>(keyed ? [] : [[noKey, initial]])
  let count = 0
  for (const given of events) {
    const event = storedEvent(given, count++, heads)
    if (!topicRegex.test(event.topic)) continue
    // One at a time: whoever skips is told of each, and where a batch ends makes no difference.
    thrown.length = 0
    const folded = fold(watched, prepare(watched, [event]), states)
    for (const [key, state] of folded.states) states.set(key, state)
    if (folded.failure) throw stopped(folded.failure.message, event, given, thrown)
    if (folded.skipped) onSkip?.(given, folded.skipped.last.message)
  }
  return new Map([...states].map(([key, text]) => [key, parseJson(text) as AsRead<State>]))
}

function stopped(message: string, { topic, seq }: StoredEvent, given: EventToFold, thrown: unknown[]) {
  const options = thrown.length === 0 ? undefined : { cause: thrown[0] }
  return new FoldStopped(`a projector would stop at seq ${seq} of ${topic}: ${message}`, given, options)
}

/** Keeps what the definition throws: between a projector's processes only its message travels, and here a stack helps. */
function watch(projection: Projection) {
  const thrown: unknown[] = []
  const watching = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      thrown.push(error)
      throw error
    }
  }
  const watched: Projection = {
    ...projection,
    apply: (state, event) => watching(() => projection.apply(state, event)),
    ...(projection.key && { key: (event) => watching(() => projection.key?.(event)) }),
  }
  return { watched, thrown }
}

function storedEvent(given: EventToFold, index: number, heads: Map<string, number>): StoredEvent {
  const { topic, payload } = given
  const { issues } = v.safeParse(TopicName, topic)
  if (issues) throw new TypeError(`the topic of event ${index} ${issues[0].message}`)
  const seq = given.seq ?? (heads.get(topic) ?? 0) + 1
  heads.set(topic, seq)
  const timestamp = timeOf(given.timestamp ?? new Date(firstMs + index * 1_000).toISOString(), index)
  const receivedAt = timeOf(given.received_at ?? timestamp, index)
  const { event_id: eventId = `event-${index + 1}`, source = 'test' } = given
  // The other names are not checked: to a fold they are text.
  const names = { topic, eventId, source } as Pick<StoredEvent, 'topic' | 'eventId' | 'source'>
  const storedAt = timeOf(given.stored_at ?? receivedAt, index)
  return { ...names, timestamp, payload: payloadText(payload, index), seq, receivedAt, storedAt }
}

const firstMs = Date.UTC(2025, 0, 1)

function timeOf(text: string, index: number): string {
  const time = normalizeTimestamp(text)
  if (time === undefined) throw new TypeError(`a time of event ${index} ${explainTimestamp(text)}`)
  return time
}

function payloadText(payload: unknown, index: number): string {
  const text = typeof payload === 'string' ? payload : stringifyJson(payload as Json)
  if (isObject(text)) return text
  throw new TypeError(`the payload of event ${index} must be an object, or the JSON text of one`)
}

function isObject(text: string | undefined): boolean {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
