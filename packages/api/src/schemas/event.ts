import * as v from 'valibot'
import { Epoch, EventIdText, Instant, Seq, SourceText, Topic } from './text.ts'

const Payload = v.pipe(
  v.record(v.string(), v.unknown()),
  v.description('At most 256 KiB and 64 levels deep. It comes back as it was sent.'),
)

const fields = {
  topic: Topic,
  event_id: v.pipe(EventIdText, v.description('What a repeat is recognised by.')),
  source: v.pipe(SourceText, v.description('Who sent it.')),
  payload: Payload,
}

/** What is published: `EventFields` of core, which parses it, in the words of JSON Schema. */
export const Event = v.strictObject({
  ...fields,
  timestamp: v.pipe(
    v.string(),
    v.description(
      'When it happened: ISO 8601 with an offset. Microseconds are kept, digits behind them are cut off.',
    ),
  ),
})

export const Batch = v.pipe(v.array(Event), v.minLength(1), v.maxLength(5_000))

export const StoredEvent = v.object({
  ...fields,
  timestamp: Instant,
  seq: v.pipe(Seq, v.description('The number of the event in its topic: 1, 2, 3 and so on, without a gap.')),
  received_at: v.pipe(Instant, v.description('When Redis took it.')),
  stored_at: v.pipe(Instant, v.description('When it was committed to the log.')),
  epoch: v.optional(
    v.pipe(
      Epoch,
      v.description('In which it was read, if the log was ever restored: to go on behind it is `2.600`.'),
    ),
  ),
})

/** A line of a replay for whoever prefers `progress`. No event has a `status`. */
export const ReplayProgress = v.object({
  status: v.picklist(['reading', 'complete']),
  events: v.number(),
})

export const exampleEvent = {
  topic: 'orders.eu.paid',
  event_id: 'order-1',
  timestamp: '2025-12-08T10:00:00.000000Z',
  source: 'checkout-1',
  payload: { customer: 'c-17', total: 12.5 },
} as const

export const exampleStored = {
  ...exampleEvent,
  seq: 1,
  received_at: '2025-12-08T10:00:00.104000Z',
  stored_at: '2025-12-08T10:00:00.107213Z',
} as const
