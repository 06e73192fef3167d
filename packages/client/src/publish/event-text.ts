import type { EventToPublish } from '../answers.ts'
import { Invalid } from '../errors.ts'
import { jsonCopyOf, NotJson } from './json-value.ts'

/**
 * An event, or its JSON text, which goes out as it is: JSON.parse and JSON.stringify would make another number of
 * an integer beyond 2^53.
 */
export type Publishable = EventToPublish | string

/** An event's JSON text. Throws Invalid for what is not one event in JSON: it would spoil the whole batch. */
export function textOf(event: Publishable): string {
  if (typeof event === 'string') {
    if (isJsonObject(event)) return event
    throw invalid('', 'malformed_json', 'must be the JSON of one event')
  }
  const value = typeof event === 'object' ? plainOf(event) : event
  if (Array.isArray(value)) {
    throw invalid('', 'invalid_event', 'must be one event: publishBatch and publishAll take several')
  }
  if (typeof value !== 'object' || value === null) throw invalid('', 'invalid_event', 'must be an event')
  return JSON.stringify(value)
}

function plainOf(event: object): unknown {
  try {
    return jsonCopyOf(event)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw invalid(error.path, 'not_json', error.message, error.cause)
  }
}

function invalid(path: string, code: string, message: string, cause?: unknown): Invalid {
  const issue = { path, code, message }
  const failure = { status: 422, code: code === 'not_json' ? 'invalid_event' : code }
  const options = cause === undefined ? undefined : { cause }
  return new Invalid(path === '' ? message : `${path} ${message}`, failure, [issue], options)
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    // Half a surrogate pair would become U+FFFD on its way.
    return typeof value === 'object' && value !== null && !Array.isArray(value) && text.isWellFormed()
  } catch {
    return false
  }
}
