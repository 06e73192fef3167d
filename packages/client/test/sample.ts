import type { AnyPayload, EventToPublish, StoredEvent } from '../src/answers.ts'

export const event = (
  n: number,
  differs: Partial<EventToPublish<AnyPayload>> = {},
): EventToPublish<AnyPayload> => ({
  topic: 'order',
  event_id: `order-${n}`,
  timestamp: '2025-12-08T10:00:00.123456+00:00',
  source: 'shop-1',
  payload: { n },
  ...differs,
})

export const stored = (seq: number, topic = 'order'): StoredEvent => ({
  ...event(seq, { topic, timestamp: '2025-12-08T10:00:00.123456Z', payload: { seq: -1 } }),
  seq,
  received_at: '2025-12-08T10:00:01.000000Z',
  stored_at: '2025-12-08T10:00:02.000000Z',
})

/** Tries that are over soon. */
/** Tries again at once, and is as patient as a busy machine needs: a try that takes long would be repeated, and counted. */
export const fast = { requestMs: 2_000, totalMs: 2_000, delayFirstMs: 5, delayMaxMs: 20 }
/** For a server that hangs. */
export const impatient = { ...fast, requestMs: 200 }

export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => Promise.reject(new Error(`it resolved with ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  )
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
