/** What a rival's door takes and its consumer stores, checked by hand: the least that one can do. */
export interface QueuedEvent {
  readonly topic: string
  readonly event_id: string
  readonly timestamp: string
  readonly source: string
  readonly payload: object
}

/** The events of a request's body, one or an array of them; `undefined` if one of them is none. */
export function eventsOfBody(body: string): QueuedEvent[] | undefined {
  const parsed: unknown = JSON.parse(body)
  const events = Array.isArray(parsed) ? parsed : [parsed]
  return events.every(isEvent) ? events : undefined
}

function isEvent(value: Partial<QueuedEvent>): value is QueuedEvent {
  const { topic, event_id, timestamp, source, payload } = value
  const texts = [topic, event_id, source].every((text) => typeof text === 'string' && text !== '')
  const isTime = typeof timestamp === 'string' && !Number.isNaN(Date.parse(timestamp))
  return texts && isTime && typeof payload === 'object'
}
