import * as v from 'valibot'
import { limits } from '../limits.ts'
import { explainTimestamp, normalizeTimestamp } from './timestamp.ts'

const topicRule = `must be 1 to ${limits.topicCharsMax} characters: segments of A-Z a-z 0-9 _ - joined by dots`

const topicForm = /^[\w-]+(\.[\w-]+)*$/

export const isTopicName = (text: string): boolean =>
  text.length <= limits.topicCharsMax && topicForm.test(text)

export const TopicName = v.pipe(v.string(topicRule), v.check(isTopicName, topicRule), v.brand('TopicName'))
export type TopicName = v.InferOutput<typeof TopicName>

export const isEventId = (text: string): boolean => isStorable(text, limits.eventIdCharsMax)

export const EventId = v.pipe(
  v.string(storableRule(limits.eventIdCharsMax)),
  v.check(isEventId, storableRule(limits.eventIdCharsMax)),
  v.brand('EventId'),
)
export type EventId = v.InferOutput<typeof EventId>

export const isSource = (text: string): boolean => isStorable(text, limits.sourceCharsMax)

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

/** An event with its seq. The times look like `timestamp`. */
export interface StoredEvent extends Event {
  readonly seq: number
  readonly receivedAt: string
  readonly storedAt: string
  /** The epoch of the log in which it was read, if that is above the first. */
  readonly epoch?: number
}

const Timestamp = v.pipe(
  v.string(`must be a string: ${explainTimestamp('').replace('must be ', '')}`),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const timestamp = normalizeTimestamp(dataset.value)
    if (timestamp !== undefined) return timestamp
    addIssue({ message: explainTimestamp(dataset.value) })
    return NEVER
  }),
)

/** What an event is when it is published. */
export const EventFields = v.object({
  topic: TopicName,
  event_id: EventId,
  timestamp: Timestamp,
  source: Source,
  payload: v.custom<object>(isObject, 'must be a JSON object'),
})

export type FieldName = keyof typeof EventFields.entries
export const fieldNames = Object.keys(EventFields.entries) as readonly FieldName[]

/** The event as the API shows it. By concatenation, because the payload's text must not be parsed and printed. */
export function eventToJson(event: StoredEvent): string {
  return (
    `{"topic":${JSON.stringify(event.topic)},"event_id":${JSON.stringify(event.eventId)}` +
    `,"timestamp":"${event.timestamp}","source":${JSON.stringify(event.source)},"payload":${event.payload}` +
    `,"seq":${event.seq},"received_at":"${event.receivedAt}","stored_at":"${event.storedAt}"` +
    (event.epoch === undefined ? '}' : `,"epoch":${event.epoch}}`)
  )
}

/** The same on one line, for what is read line by line. */
export const eventToLine = (event: StoredEvent): string => onOneLine(eventToJson(event))

/**
 * JSON text of the same value on one line, for whatever reads the lines: beside CR and LF, Node's readline ends a line
 * at U+2028 and U+2029, and Python's splitlines at U+0085 too. CR and LF stand between two tokens, where JSON has
 * white space of any kind; the others stand in strings, where an escape means the same.
 */
export const onOneLine = (json: string): string =>
  json.replaceAll(/[\r\n\u0085\u2028\u2029]/g, (character) => escapes[character] ?? ' ')

const escapes: Readonly<Record<string, string>> = {
  '\u0085': '\\u0085',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** Text on one's own terms, as long as PostgreSQL can hold it. */
function isStorable(text: string, charsMax: number): boolean {
  return text.length >= 1 && text.length <= charsMax && !text.includes('\0') && text.isWellFormed()
}

function storableRule(charsMax: number): string {
  return `must be a string of 1 to ${charsMax} characters without U+0000 or half surrogate pairs`
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
