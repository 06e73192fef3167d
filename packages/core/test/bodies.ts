import { InvalidEvent, type Issue } from '../src/errors.ts'
import { parseEvent } from '../src/event/parse.ts'

export const valid = {
  topic: 'orders.eu.paid',
  event_id: 'order-1',
  timestamp: '2025-12-08T10:00:00.123456+00:00',
  source: 'shop',
  payload: { amount: 10 },
}

export function bodyWithPayload(payload: string): string {
  return JSON.stringify(valid).replace('{"amount":10}', () => payload)
}

export function issuesOf(body: string): readonly Issue[] {
  try {
    parseEvent(body)
  } catch (error) {
    if (error instanceof InvalidEvent) return error.issues
    throw error
  }
  return []
}
