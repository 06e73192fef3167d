import * as v from 'valibot'
import { InvalidBatch, InvalidEvent, type Issue, MalformedJson } from './errors.ts'
import { limits } from './limits.ts'
import { findPayload, findPayloads, type PayloadText } from './payload.ts'
import { normalizeTimestamp } from './timestamp.ts'

const topicRule = `must be 1 to ${limits.topicCharsMax} characters: segments of A-Z a-z 0-9 _ - joined by dots`

const topicForm = /^[\w-]+(\.[\w-]+)*$/

export const isTopicName = (text: string): boolean =>
  text.length <= limits.topicCharsMax && topicForm.test(text)

export const TopicName = v.pipe(v.string(topicRule), v.check(isTopicName, topicRule), v.brand('TopicName'))
export type TopicName = v.InferOutput<typeof TopicName>

const isEventId = (text: string): boolean => isStorable(text, limits.eventIdCharsMax)

export const EventId = v.pipe(
  v.string(storableRule(limits.eventIdCharsMax)),
  v.check(isEventId, storableRule(limits.eventIdCharsMax)),
  v.brand('EventId'),
)
export type EventId = v.InferOutput<typeof EventId>

const isSource = (text: string): boolean => isStorable(text, limits.sourceCharsMax)

export const Source = v.pipe(
  v.string(storableRule(limits.sourceCharsMax)),
  v.check(isSource, storableRule(limits.sourceCharsMax)),
  v.brand('Source'),
)
export type Source = v.InferOutput<typeof Source>

/** The fact that a publisher sends. */
export interface Event {
  readonly topic: TopicName
  readonly eventId: EventId
  /** UTC, always `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
  readonly timestamp: string
  readonly source: Source
  /** The JSON text of the object as it was sent; nobody here reads it, so nobody changes it. */
  readonly payload: string
}

/** An event with its place in its topic. The times look like `timestamp`. */
export interface StoredEvent extends Event {
  readonly seq: number
  readonly receivedAt: string
  readonly storedAt: string
}

const timestampRule =
  'must be ISO 8601 with an offset, at most six fractional digits, e.g. 2025-12-08T10:00:00.123456+00:00'

const Timestamp = v.pipe(
  v.string(timestampRule),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const timestamp = normalizeTimestamp(dataset.value)
    if (timestamp !== undefined) return timestamp
    addIssue({ message: timestampRule })
    return NEVER
  }),
)

const EventFields = v.object({
  topic: TopicName,
  event_id: EventId,
  timestamp: Timestamp,
  source: Source,
  payload: v.custom<object>(isObject, 'must be a JSON object'),
})

/**
 * Reads the body of a publish. Throws MalformedJson, or InvalidEvent with every field that does not fit.
 *
 * A field that Sekali does not know is refused: there is no place to keep it, and to answer "queued" and drop it
 * would break the promise that nothing changes on the way. What is one's own belongs in the payload.
 */
export function parseEvent(body: string): Event {
  const value = parseBody(body)
  const issues: Issue[] = []
  const event = readEvent(value, findPayload(body), issues)
  if (event === undefined) throw new InvalidEvent(issues)
  return event
}

/**
 * Reads the body of a publish that is an array of events. Throws MalformedJson, InvalidBatch when it has too few or
 * too many, and InvalidEvent with the index and path of everything that does not fit: then none of them is taken.
 */
export function parseEvents(body: string): Event[] {
  const values = parseBody(body)
  if (!Array.isArray(values)) throw new InvalidEvent([notAnObject])
  if (values.length === 0 || values.length > limits.batchEventsMax) {
    throw new InvalidBatch(`a batch has 1 to ${limits.batchEventsMax} events`)
  }
  const payloads = findPayloads(body, 1)
  const events: Event[] = []
  const issues: Issue[] = []
  for (const [index, value] of values.entries()) {
    const found: Issue[] = []
    const event = readEvent(value, payloads[index] as PayloadText, found)
    if (event !== undefined) events.push(event)
    else issues.push(...found.map((issue) => ({ index, ...issue })))
  }
  if (issues.length > 0) throw new InvalidEvent(issues)
  return events
}

/** Reads one event, or says in `issues` why it is none. */
function readEvent(value: unknown, payload: PayloadText, issues: Issue[]): Event | undefined {
  if (!isObject(value)) {
    issues.push(notAnObject)
    return undefined
  }
  return readValid(value, payload) ?? explain(value, payload, issues)
}

/**
 * The event if all is well with it, and nothing more. It asks the same questions as the schema, at a fifth of the
 * time; only who fails here is told why.
 */
function readValid(value: Record<string, unknown>, payload: PayloadText): Event | undefined {
  const { topic, event_id: eventId, timestamp, source } = value
  if (typeof topic !== 'string' || !isTopicName(topic)) return undefined
  if (typeof eventId !== 'string' || !isEventId(eventId)) return undefined
  if (typeof source !== 'string' || !isSource(source)) return undefined
  if (typeof timestamp !== 'string') return undefined
  const utc = normalizeTimestamp(timestamp)
  if (utc === undefined || !isObject(value.payload) || payload.text === undefined) return undefined
  if (payload.unstorable || payload.depth > limits.payloadDepthMax) return undefined
  if (!fitsInBytes(payload.text, limits.payloadBytesMax)) return undefined
  for (const name in value) if (!isField(name)) return undefined
  return {
    topic: topic as TopicName,
    eventId: eventId as EventId,
    timestamp: utc,
    source: source as Source,
    payload: payload.text,
  }
}

/** Says everything that does not fit. */
function explain(value: Record<string, unknown>, payload: PayloadText, issues: Issue[]): undefined {
  const parsed = v.safeParse(EventFields, value, { abortPipeEarly: true })
  if (parsed.issues) issues.push(...parsed.issues.map(toIssue))
  if (isObject(value.payload)) addPayloadIssues(payload, issues)
  addUnknownFieldIssues(value, issues)
}

const notAnObject: Issue = { path: '', code: 'invalid_body', message: 'must be a JSON object' }

/** The event as the API shows it. By concatenation, because the payload's text must not be parsed and printed. */
export function eventToJson(event: StoredEvent): string {
  return (
    `{"topic":${JSON.stringify(event.topic)},"event_id":${JSON.stringify(event.eventId)}` +
    `,"timestamp":"${event.timestamp}","source":${JSON.stringify(event.source)},"payload":${event.payload}` +
    `,"seq":${event.seq},"received_at":"${event.receivedAt}","stored_at":"${event.storedAt}"}`
  )
}

/**
 * The same without line breaks, for what is read line by line. Where a payload has one it stands between two tokens,
 * and JSON has white space of any kind there.
 */
export const eventToLine = (event: StoredEvent): string => eventToJson(event).replaceAll(/[\r\n]/g, ' ')

/** Text on one's own terms, as long as PostgreSQL can hold it. */
function isStorable(text: string, charsMax: number): boolean {
  return text.length >= 1 && text.length <= charsMax && !text.includes('\0') && text.isWellFormed()
}

function storableRule(charsMax: number): string {
  return `must be a string of 1 to ${charsMax} characters without U+0000 or half surrogate pairs`
}

function parseBody(body: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new MalformedJson('the body is not JSON') // without its cause, which quotes the body
  }
  // Half a surrogate pair as a character, not as an escape: no UTF-8 text can have it.
  if (!body.isWellFormed()) throw new MalformedJson('the body is not well-formed Unicode')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = String(issue.path?.[0]?.key)
  // A missing member is reported by the object, a bad one by the member's own schema.
  if (issue.type === 'object') return { path, code: 'missing_field', message: 'is required' }
  return { path, code: `invalid_${path}`, message: issue.message }
}

function addPayloadIssues({ text = '', depth, unstorable }: PayloadText, issues: Issue[]): void {
  const refuse = (code: string, message: string) => issues.push({ path: 'payload', code, message })
  if (!fitsInBytes(text, limits.payloadBytesMax)) {
    refuse('payload_too_large', `must be at most ${limits.payloadBytesMax} bytes of JSON`)
  }
  if (depth > limits.payloadDepthMax) {
    refuse('payload_too_deep', `must be at most ${limits.payloadDepthMax} levels of objects and arrays`)
  }
  if (unstorable) {
    refuse(
      'invalid_payload',
      'must not contain \\u0000 or half surrogate pairs, neither in strings nor in keys',
    )
  }
}

const isField = (name: string): boolean => Object.hasOwn(EventFields.entries, name)

/** Counts only if the number of characters leaves it open. */
function fitsInBytes(text: string, bytesMax: number): boolean {
  if (text.length * 3 <= bytesMax) return true
  return text.length <= bytesMax && new TextEncoder().encode(text).length <= bytesMax
}

/** The names are the client's own text: a few of them, cut, are enough to find the mistake. */
function addUnknownFieldIssues(fields: Record<string, unknown>, issues: Issue[]): void {
  let named = 0
  for (const name of Object.keys(fields)) {
    if (isField(name)) continue
    if (++named > unknownNamedMax) return
    issues.push({
      path: name.slice(0, 64).toWellFormed(),
      code: 'unknown_field',
      message: 'is not a field of an event; put it into the payload',
    })
  }
}

const unknownNamedMax = 8
