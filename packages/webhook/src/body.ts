/**
 * What a delivery says. By concatenation, because the payload's text must not be parsed and printed: numbers and the order of
 * keys would change (promise 8).
 */
import { eventToJson, type StoredEvent } from '@sekali/core/event'

/** As Standard Webhooks recommends: `{"type", "timestamp", "data"}`. */
export const standardBody = ({
  topic,
  timestamp,
  payload,
}: Pick<StoredEvent, 'topic' | 'timestamp' | 'payload'>): string =>
  `{"type":${JSON.stringify(topic)},"timestamp":"${timestamp}","data":${payload}}`

/** The event as the HTTP API shows it. */
export const eventBody = (event: StoredEvent): string => eventToJson(event)
