import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import {
  Discard,
  Letter,
  LetterIdText,
  LetterKindText,
  LetterStateText,
  LettersCursorText,
  LetterWithContent,
  PublishAs,
  ReasonText,
} from '../schemas/letter.ts'
import { SubscriptionName } from '../schemas/subscription-fields.ts'
import { InstantText, TopicPattern } from '../schemas/text.ts'

const exampleLetter = {
  id: 'c-7',
  kind: 'conflict',
  topic: 'orders.eu.paid',
  event_id: 'order-1',
  reason: 'conflict',
  seq: 1,
  received_at: '2025-12-08T10:00:00.104000Z',
  stored_at: '2025-12-08T10:00:00.107213Z',
  kept: true,
  state: 'open',
} as const

const settledLetter = {
  ...exampleLetter,
  state: 'settled',
  settled: {
    became: 'published_as',
    at: '2025-12-08T11:00:00.000000Z',
    by: '4nJ2bWq8ZxT0',
    event_id: 'order-1b',
  },
} as const

const id = {
  schema: LetterIdText,
  description: 'The id of a dead letter or of a conflict.',
  example: exampleLetter.id,
} as const

/** What can be wrong with a body here. */
export const bodyProblems = [
  'malformed_json',
  'unsupported_encoding',
  'unsupported_media_type',
  'invalid_body',
] as const

export const listLetters = defineRoute({
  id: 'listLetters',
  method: 'GET',
  path: '/dead-letters',
  scope: 'read',
  tag: 'letters',
  summary: 'List dead letters and conflicts',
  description:
    'Newest first; the open ones, unless `state` says otherwise. A key sees those of its topics. Without their contents.',
  request: {
    query: {
      kind: { schema: v.optional(LetterKindText), description: 'Only these.', example: 'conflict' },
      topic: {
        schema: v.optional(TopicPattern),
        description: 'Only this topic, or those of a pattern.',
        example: 'orders.>',
      },
      subscription: {
        schema: v.optional(SubscriptionName),
        description: 'Only deliveries of this subscription.',
        example: 'mailer',
      },
      reason: { schema: v.optional(ReasonText), description: 'Only with this reason.', example: '23514' },
      from: {
        schema: v.optional(InstantText),
        description: 'Received at this time or later.',
        example: '2025-12-08T00:00:00Z',
      },
      to: {
        schema: v.optional(InstantText),
        description: 'Received before this time.',
        example: '2025-12-09T00:00:00Z',
      },
      state: {
        schema: v.optional(LetterStateText),
        description: 'What came of them: open if it is not said.',
        example: 'open',
      },
      after: {
        schema: v.optional(LettersCursorText),
        description: 'Those listed behind this place.',
        example: 'e-12,c-7',
      },
      limit: {
        schema: wholeNumber(1, limits.pageSizeMax, limits.pageSizeDefault),
        description: 'At most so many.',
        example: '100',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'A page.',
      mediaType: 'application/json',
      schema: v.array(Letter),
      example: [exampleLetter],
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters', 'store_unavailable'],
})

const content = {
  timestamp: '2025-12-08T10:00:00.000000Z',
  source: 'checkout-1',
  payload: { total: 12.5 },
} as const

export const readLetter = defineRoute({
  id: 'readLetter',
  method: 'GET',
  path: '/dead-letters/:id',
  scope: 'read',
  tag: 'letters',
  summary: 'Show a dead letter, or both contents of a conflict',
  description:
    'Contents come byte for byte. Of a conflict it says in what the two differ, and whether they are equal as JSON. Of a delivery comes the event.',
  request: { path: { id } },
  answers: [
    {
      status: 200,
      description: 'The letter with its content.',
      mediaType: 'application/json',
      schema: LetterWithContent,
      example: {
        ...exampleLetter,
        received: { ...content, payload: { total: 13 } },
        stored: { ...content, received_at: exampleLetter.received_at, stored_at: exampleLetter.stored_at },
        differs: ['payload'],
        same_json: false,
      },
    },
  ],
  problems: ['unknown_letter', 'store_unavailable'],
})

export const discardLetter = defineRoute({
  id: 'discardLetter',
  method: 'POST',
  path: '/dead-letters/:id/discard',
  scope: 'admin',
  tag: 'letters',
  summary: 'Mark a dead letter or a conflict as done with',
  description: 'It stays in the figures and can still be shown; it is not open any more.',
  request: {
    path: { id },
    bodies: [{ mediaType: 'application/json', schema: Discard, example: { reason: 'a test of ours' } }],
  },
  answers: [
    {
      status: 200,
      description: 'It is discarded.',
      mediaType: 'application/json',
      schema: Letter,
      example: {
        ...exampleLetter,
        state: 'settled',
        settled: {
          became: 'discarded',
          at: '2025-12-08T11:00:00.000000Z',
          by: 'anyone',
          reason: 'a test of ours',
        },
      },
    },
  ],
  problems: [...bodyProblems, 'forbidden', 'unknown_letter', 'letter_settled', 'store_unavailable'],
})

export const publishAs = defineRoute({
  id: 'publishAs',
  method: 'POST',
  path: '/dead-letters/:id/publish-as',
  scope: 'admin',
  tag: 'letters',
  summary: 'Publish a conflict under another event id',
  description:
    'Timestamp, source and payload are those that came. Repeat it with the same id if no answer comes.',
  request: {
    path: { id },
    bodies: [{ mediaType: 'application/json', schema: PublishAs, example: { event_id: 'order-1b' } }],
  },
  answers: [
    {
      status: 200,
      description: 'Redis has the event.',
      mediaType: 'application/json',
      schema: Letter,
      example: settledLetter,
    },
  ],
  problems: [
    ...bodyProblems,
    ...(['forbidden', 'unknown_letter', 'letter_settled', 'not_a_conflict', 'letter_not_kept'] as const),
    ...([
      'event_id_taken',
      'backlog_limit',
      'memory_limit',
      'broker_unavailable',
      'not_replicated',
      'store_unavailable',
    ] as const),
  ],
})
