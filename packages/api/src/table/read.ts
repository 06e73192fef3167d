import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { exampleStored, ReplayProgress, StoredEvent } from '../schemas/event.ts'
import { EventIdText, InstantText, SourceText, Topic, TopicPattern } from '../schemas/text.ts'

const pattern =
  'A topic, or a pattern: `*` is one segment, `>` at the end is one or more. It may match 500 topics.'
const source = { schema: v.optional(SourceText), description: 'Exactly this source.', example: 'checkout-1' }
const bound =
  'a seq, with its epoch before it if that is not 1 (`2.600`); of a pattern the cursor of a link, or `topic:seq` pairs joined by commas.'

/** How many events, at most `max`. */
export const limitOf = (max: number) =>
  ({
    schema: v.optional(wholeNumber(1, max)),
    description:
      'At most so many events. A page has at most 1,000, and 100 by default; a replay has no limit.',
    example: '100',
  }) as const

export const readEvents = defineRoute({
  id: 'readEvents',
  method: 'GET',
  path: '/events',
  scope: 'read',
  tag: 'read',
  summary: 'Query or replay events',
  description:
    'A page of the log; or a replay: all of it in one stream, an event a line, oldest first, up to where the log ended when the stream began. The lines come with `Accept: application/x-ndjson`, and otherwise the page. Events of one topic come by seq, those of several by `stored_at`. Without `topic` it is the newest events of all topics.',
  request: {
    query: {
      topic: { schema: v.optional(TopicPattern), description: pattern, example: 'orders.*.paid' },
      event_id: {
        schema: v.optional(EventIdText),
        description:
          'The events with this id, of whichever topics the key may see, the newest first. It goes with `topic` and `limit` alone.',
        example: 'order-1',
      },
      source,
      from: {
        schema: v.optional(InstantText),
        description: 'From this time on.',
        example: '2025-12-08T00:00:00Z',
      },
      to: {
        schema: v.optional(InstantText),
        description: 'Before this time.',
        example: '2025-12-09T00:00:00Z',
      },
      by: {
        schema: v.optional(v.picklist(['timestamp', 'received_at'], 'must be timestamp or received_at')),
        description: 'Which time `from` and `to` are about: `timestamp`, if it is left out.',
        example: 'received_at',
      },
      after: { schema: v.optional(v.string()), description: `Behind ${bound}`, example: '41' },
      before: { schema: v.optional(v.string()), description: `Before ${bound}`, example: '43' },
      order: {
        schema: v.optional(v.picklist(['asc', 'desc'], 'must be asc or desc')),
        description: 'Without it: `asc` if there is an `after`, or in a replay; else `desc`.',
        example: 'asc',
      },
      limit: limitOf(Number.MAX_SAFE_INTEGER),
    },
    headers: {
      Accept: {
        schema: v.string(),
        description: '`application/x-ndjson` makes it a replay.',
        example: 'application/json',
      },
      'Accept-Encoding': { schema: v.string(), description: '`gzip` compresses a replay.', example: 'gzip' },
      Prefer: {
        schema: v.string(),
        description: '`progress` adds lines to a replay that count its events; the last one says `complete`.',
        example: 'progress',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'A page.',
      mediaType: 'application/json',
      schema: v.array(StoredEvent),
      example: [exampleStored],
      headers: { Link: 'sometimes' },
    },
    {
      status: 200,
      description: 'A replay: an event a line. If the connection is reset, it is not complete.',
      mediaType: 'application/x-ndjson',
      schema: v.union([StoredEvent, ReplayProgress]),
      example: exampleStored,
      headers: { Vary: 'always', 'Content-Encoding': 'sometimes', 'Preference-Applied': 'sometimes' },
    },
  ],
  problems: [
    ...(['not_acceptable', 'invalid_parameters', 'too_many_topics'] as const),
    ...(['cursor_ahead', 'log_restored', 'store_unavailable'] as const),
  ],
})

export const fromRule = 'must be start, now, or the seq to begin behind'

export const tailEvents = defineRoute({
  id: 'tailEvents',
  method: 'GET',
  path: '/tail',
  scope: 'read',
  tag: 'read',
  summary: 'Follow events as they are stored',
  description:
    'Server-Sent Events: first what is stored already, then each new event. The `id` of an event is the cursor behind it. Whoever comes back with it misses nothing and gets nothing twice, from any gateway.',
  request: {
    query: {
      topic: { schema: TopicPattern, description: pattern, example: 'orders.>' },
      from: {
        schema: v.optional(
          v.pipe(v.string(fromRule), v.regex(/^(start|now|(?:[1-9]\d{0,9}\.)?\d{1,16})$/, fromRule)),
          'now',
        ),
        description:
          '`start`, `now`, or of one topic the seq to begin behind, with its epoch before it if that is not 1.',
        example: 'start',
      },
      source,
      last_event_id: {
        schema: v.optional(v.string()),
        description:
          'The id of the last event that came. Also as `lastEventId`, `lastEventID` or `Last-Event-ID`; the last one that is not empty counts, and more than `from`.',
        example: '1.1',
      },
    },
    headers: {
      'Last-Event-ID': {
        schema: v.string(),
        description: 'The same, as EventSource sends it. It counts more than the query.',
        example: '1.1',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'Events, until the client leaves. A comment comes every 15 s without an event.',
      mediaType: 'text/event-stream',
      schema: StoredEvent,
      example: exampleStored,
    },
  ],
  problems: [
    ...(['invalid_parameters', 'too_many_topics', 'cursor_ahead'] as const),
    ...(['log_restored', 'too_many_tails', 'store_unavailable'] as const),
  ],
})

const topic = { schema: Topic, description: 'The name of a topic.', example: exampleStored.topic } as const
const eventId = {
  schema: EventIdText,
  description: 'The id of the event.',
  example: exampleStored.event_id,
} as const

const theEvent = {
  scope: 'read',
  tag: 'read',
  answers: [
    {
      status: 200,
      description: 'The event, with its payload as it was sent.',
      mediaType: 'application/json',
      schema: StoredEvent,
      example: exampleStored,
    },
  ],
} as const

export const findEvent = defineRoute({
  ...theEvent,
  id: 'findEvent',
  method: 'GET',
  path: '/events/:topic',
  summary: 'Find an event by an id that a path cannot have',
  description: 'In the path of a URL `.` and `..` mean folders, and some proxies change `%2F`.',
  request: { path: { topic }, query: { event_id: eventId } },
  problems: ['not_found', 'unknown_event', 'event_in_flight', 'dead_event', 'store_unavailable'],
})

export const readEvent = defineRoute({
  ...theEvent,
  id: 'readEvent',
  method: 'GET',
  path: '/events/:topic/:event_id',
  summary: 'Find an event by its id',
  description: 'If it is not stored, the code of the 404 tells why.',
  request: { path: { topic, event_id: eventId } },
  problems: ['unknown_event', 'event_in_flight', 'dead_event', 'store_unavailable'],
})
