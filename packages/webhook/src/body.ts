/**
 * What a delivery says. By concatenation, because the payload's text must not be parsed and printed: numbers and the order of
 * keys would change (promise 8).
 */
import { eventToJson, type StoredEvent } from '@sekali/core/event'

type Told = Pick<StoredEvent, 'topic' | 'timestamp' | 'payload'>

/** As Standard Webhooks recommends: `{"type", "timestamp", "data"}`. */
export const standardBody = (event: Told): string => `{${fieldsOf(event)}}`

/** The same in an array, where no header says which event it is. */
export const standardElement = (event: Told, id: string): string => `{"id":"${id}",${fieldsOf(event)}}`

const fieldsOf = ({ topic, timestamp, payload }: Told): string =>
  `"type":${JSON.stringify(topic)},"timestamp":"${timestamp}","data":${payload}`

/** Several of these in one body. */
export const arrayBody = (elements: readonly string[]): string => `[${elements.join(',')}]`

/** The event as the HTTP API shows it. */
export const eventBody = (event: StoredEvent): string => eventToJson(event)
