import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { Batch, Event, exampleEvent } from '../schemas/event.ts'
import { BatchQueued, BatchReceipts, EventQueued, EventStored, LinesQueued } from '../schemas/receipt.ts'

const preferences = { 'Preference-Applied': 'sometimes' } as const

export const publish = defineRoute({
  id: 'publish',
  method: 'POST',
  path: '/publish',
  scope: 'publish',
  tag: 'publish',
  summary: 'Publish events',
  description:
    'One event, an array of up to 5,000 events and 8 MiB, or a stream of lines of any length. The answer comes when Redis has them on disk. Without an answer nobody knows, so publish again: an event is stored once. Of an array all or none is queued; of a stream the good lines are queued, and 422 names the bad ones.',
  request: {
    headers: {
      Prefer: {
        schema: v.string(),
        description:
          '`wait=N` (at most 60 seconds) answers with what became of the events; `handling=lenient` queues the good events and names the bad ones.',
        example: 'handling=lenient, wait=5',
      },
    },
    bodies: [
      {
        mediaType: 'application/json',
        schema: v.union([Event, Batch]),
        example: exampleEvent,
      },
      { mediaType: 'application/x-ndjson', schema: Event, example: exampleEvent },
    ],
  },
  answers: [
    {
      status: 200,
      description: 'Redis has them. With `Prefer: wait` they are stored, or were before.',
      mediaType: 'application/json',
      schema: v.union([EventQueued, BatchQueued, LinesQueued, EventStored, BatchReceipts]),
      example: { status: 'queued', event_id: 'order-1' },
      headers: preferences,
    },
    {
      status: 202,
      description: 'With `Prefer: wait`: the time is up, and they are still on their way.',
      mediaType: 'application/json',
      schema: v.union([EventQueued, BatchReceipts]),
      example: { status: 'queued', event_id: 'order-1' },
      headers: preferences,
    },
  ],
  problems: [
    ...(['malformed_json', 'incomplete_body', 'unsupported_encoding'] as const),
    ...(['invalid_event', 'invalid_batch', 'invalid_lines'] as const),
    ...(['topic_limit', 'topic_rate', 'backlog_limit', 'memory_limit'] as const),
    'conflict',
    { code: 'dead_event', status: 422 },
    ...(['event_lost', 'broker_unavailable', 'not_replicated', 'store_unavailable'] as const),
  ],
})
