/**
 * Reads what publishers send. What does not fit is returned, not thrown, in words for the client: an error
 * with its stack for each bad line would cost more than the line.
 */
import { InvalidBatch, InvalidEvent, type Issue, MalformedJson } from '../errors.ts'
import { limits } from '../limits.ts'
import { scan, toEnd } from '../text/scan.ts'
import {
  type Event,
  type EventId,
  isEventId,
  isSource,
  isTopicName,
  type Source,
  type TopicName,
} from './event.ts'
import { explain } from './explain.ts'
import { fitsInBytes, isShortString, listen, type Sent } from './sent.ts'
import { normalizeTimestamp } from './timestamp.ts'

/** Why a text is no event: every field that does not fit. */
export interface Unfit {
  readonly code: 'malformed_json' | 'invalid_event'
  readonly issues: readonly Issue[]
}

/**
 * Reads JSON text that is to be one event.
 *
 * A field that Sekali does not know is refused: there is no place to keep it, and to answer "queued" and drop it
 * would break the promise that nothing changes on the way. What is one's own belongs in the payload.
 */
export const readEvent = (text: string): Event | Unfit => toEnd(eventIn(text))

/** The same, with pauses. */
export function* eventIn(text: string): Generator<undefined, Event | Unfit> {
  let event: Event | undefined
  const issues: Issue[] = []
  const listener = listen((sent) => {
    event = readSent(sent, issues)
  })
  if (!isWellFormed(text) || !(yield* scan(text, 0, listener))) return malformed
  return event ?? { code: 'invalid_event', issues }
}

const malformed: Unfit = { code: 'malformed_json', issues: [] }

/** Reads the body of a publish that is one event. Throws MalformedJson or InvalidEvent. */
export const parseEvent = (body: string): Event => requireEvent(readEvent(body))

export function requireEvent(read: Event | Unfit): Event {
  if ('eventId' in read) return read
  throw read.code === 'malformed_json' ? notJson() : new InvalidEvent(read.issues)
}

/**
 * Reads the body of a publish that is an array of events, and pauses now and then. Throws MalformedJson, InvalidBatch
 * when it has too few or too many, and InvalidEvent with the index and path of what does not fit: then none of them is
 * taken.
 */
export function* eventsIn(body: string): Generator<undefined, Event[]> {
  const events: Event[] = []
  const issues: Issue[] = []
  yield* batchIn(body, (sent, index) => {
    // From here on only whether the rest is JSON can change the answer.
    if (issues.length >= limits.issuesNamedMax) return
    const found: Issue[] = []
    const event = readSent(sent, found)
    if (event !== undefined) events.push(event)
    else for (const issue of found) issues.push({ index, ...issue })
  })
  if (issues.length > 0) throw new InvalidEvent(issues)
  return events
}

/** One of an array that is no event, and why. */
export interface BadEvent {
  /** From 0. */
  readonly index: number
  readonly errors: readonly Issue[]
}

/** What is good of an array, and what is not. */
export interface Sifted {
  readonly events: readonly Event[]
  /** Where in the array each event was, from 0. */
  readonly indexes: readonly number[]
  /** How many are no events, and the first of them. */
  readonly invalid: number
  readonly bad: readonly BadEvent[]
}

/**
 * The same for who wants the good ones taken. It throws neither InvalidEvent, nor anything when none is good. `issueOf` may
 * find something else that is wrong with an event.
 */
export function* siftedEventsIn(
  body: string,
  issueOf: (event: Event) => Issue | undefined = () => undefined,
): Generator<undefined, Sifted> {
  const events: Event[] = []
  const indexes: number[] = []
  const bad: BadEvent[] = []
  let invalid = 0
  yield* batchIn(body, (sent, index) => {
    const errors: Issue[] = []
    const isNamed = bad.length < limits.issuesNamedMax
    const event = isNamed ? readSent(sent, errors) : readValid(sent)
    const other = event && issueOf(event)
    if (other !== undefined) errors.push(other)
    if (event !== undefined && other === undefined) {
      events.push(event)
      indexes.push(index)
      return
    }
    invalid += 1
    if (isNamed) bad.push({ index, errors })
  })
  return { events, indexes, invalid, bad }
}

/** Reads an array; `onSent` gets each of its elements, up to as many as a batch may have. */
function* batchIn(body: string, onSent: (sent: Sent, index: number) => void): Generator<undefined, void> {
  const isBatch = /^[ \t\r\n]*\[/.test(body)
  let count = 0
  const listener = listen((sent) => {
    const index = count++
    if (index < limits.batchEventsMax) onSent(sent, index)
  })
  if (!isWellFormed(body) || !(yield* scan(body, isBatch ? 1 : 0, listener))) throw notJson()
  if (!isBatch) throw new InvalidEvent([notAnObject])
  if (count === 0 || count > limits.batchEventsMax) {
    throw new InvalidBatch(`a batch has 1 to ${limits.batchEventsMax} events`)
  }
}

/** The same without pauses. */
export const parseEvents = (body: string): Event[] => toEnd(eventsIn(body))

/** Half a surrogate pair as a character, not as an escape, cannot come out of UTF-8. */
const isWellFormed = (text: string): boolean => text.isWellFormed()

// Without the parser's own words, which quote the body.
const notJson = () => new MalformedJson('the body is not JSON')

/** Reads one event, or says in `issues` why it is none. */
function readSent(sent: Sent, issues: Issue[]): Event | undefined {
  if (!sent.isObject) {
    issues.push(notAnObject)
    return undefined
  }
  return readValid(sent) ?? explain(sent, issues)
}

/**
 * The event if all is well with it, and nothing more. It asks the same questions as the schema, at a fifth of the
 * time; only for an event that fails here the reasons are looked for.
 */
function readValid({ topic, event_id, timestamp, source, payload, unknown }: Sent): Event | undefined {
  if (unknown.length > 0 || payload === undefined || !payload.text.startsWith('{')) return undefined
  if (payload.isUnstorable || payload.depth > limits.payloadDepthMax) return undefined
  if (!fitsInBytes(payload.text, limits.payloadBytesMax)) return undefined
  if (!isShortString(topic) || !isShortString(event_id)) return undefined
  if (!isShortString(timestamp) || !isShortString(source)) return undefined
  // Parsed, and not cut out of the body, so that an id that is remembered does not keep its body in memory.
  const name: string = JSON.parse(topic)
  const eventId: string = JSON.parse(event_id)
  const sender: string = JSON.parse(source)
  if (!isTopicName(name) || !isEventId(eventId) || !isSource(sender)) return undefined
  const utc = normalizeTimestamp(JSON.parse(timestamp))
  if (utc === undefined) return undefined
  return {
    topic: name as TopicName,
    eventId: eventId as EventId,
    timestamp: utc,
    source: sender as Source,
    payload: payload.text,
  }
}

const notAnObject: Issue = { path: '', code: 'invalid_body', message: 'must be a JSON object' }
