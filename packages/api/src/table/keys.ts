import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { AuditEntry, Key, KeyId, KeyWithText, NewKey, Rotation } from '../schemas/key.ts'

const exampleKey = {
  id: '4nJ2bWq8ZxT0',
  name: 'shop',
  status: 'live',
  scopes: ['publish'],
  topics: ['orders.>'],
  source: 'shop',
  events_per_second: 500,
  created_at: '2026-03-01T10:00:00.000000Z',
  created_by: 'Zq81mBv7Kc3d',
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  successor: null,
}

const exampleText = 'sekali_4nJ2bWq8ZxT0_0Yk3vLw9TnR5xGd7Hs2QmB8cJf4ZpE6u_1kQ9bZ'

const id = { schema: KeyId, description: 'The id of a key.', example: exampleKey.id } as const

const limit = {
  schema: wholeNumber(1, limits.pageSizeMax, limits.pageSizeDefault),
  description: 'At most so many.',
  example: '100',
} as const

const number = v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER))

const bodyProblems = [
  'malformed_json',
  'unsupported_encoding',
  'unsupported_media_type',
  'invalid_key',
] as const

export const createKey = defineRoute({
  id: 'createKey',
  method: 'POST',
  path: '/keys',
  scope: 'admin',
  tag: 'keys',
  summary: 'Make a key',
  description:
    'The answer is the only place that shows the key itself. A key makes no key that may do more than itself, or for longer: one that expires, or a token, needs `expires_at` of no later than its own end. While no keys are asked for (`SEKALI_AUTH`), none can be made.',
  request: {
    bodies: [
      {
        mediaType: 'application/json',
        schema: NewKey,
        example: {
          name: 'shop',
          scopes: ['publish'],
          topics: ['orders.>'],
          source: 'shop',
          events_per_second: 500,
        },
      },
    ],
  },
  answers: [
    {
      status: 201,
      description: 'It is made, and works at once.',
      mediaType: 'application/json',
      schema: KeyWithText,
      example: { key: exampleText, ...exampleKey },
      headers: { Location: 'always' },
    },
  ],
  problems: [...bodyProblems, 'forbidden', 'auth_off', 'too_many_keys', 'store_unavailable'],
})

export const listKeys = defineRoute({
  id: 'listKeys',
  method: 'GET',
  path: '/keys',
  scope: 'admin',
  tag: 'keys',
  summary: 'List keys',
  description:
    'Oldest first, expired and revoked ones among them. A key sees those that may do no more than itself, and its pages have only those. Go on as long as there is a Link.',
  request: {
    query: {
      limit,
      after: {
        schema: v.optional(KeyId),
        description: 'Keys behind the one of this id.',
        example: id.example,
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'A page of keys, without their texts.',
      mediaType: 'application/json',
      schema: v.array(Key),
      example: [exampleKey],
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters', 'store_unavailable'],
})

export const readKey = defineRoute({
  id: 'readKey',
  method: 'GET',
  path: '/keys/:id',
  scope: 'admin',
  tag: 'keys',
  summary: 'Show a key',
  description:
    'What it may do and when it was last used, not the key itself. Whoever may not do everything gets 403 for a key that may do more, and for one that there is not.',
  request: { path: { id } },
  answers: [
    {
      status: 200,
      description: 'The key, without its text.',
      mediaType: 'application/json',
      schema: Key,
      example: exampleKey,
    },
  ],
  problems: ['unknown_access_key', 'forbidden', 'store_unavailable'],
})

export const rotateKey = defineRoute({
  id: 'rotateKey',
  method: 'POST',
  path: '/keys/:id/rotate',
  scope: 'admin',
  tag: 'keys',
  summary: 'Make a key that takes the place of another',
  description:
    'It may do the same, and lives as long as the old one was to live, but not beyond the end of whoever asks. The old one goes on for as long as you say. A key is rotated once; then its successor is.',
  request: {
    path: { id },
    bodies: [{ mediaType: 'application/json', schema: Rotation, example: { old_expires_in_seconds: 3600 } }],
  },
  answers: [
    {
      status: 201,
      description: 'The new key. The answer is the only place that shows it.',
      mediaType: 'application/json',
      schema: KeyWithText,
      example: { key: exampleText, ...exampleKey },
      headers: { Location: 'always' },
    },
  ],
  problems: [
    ...bodyProblems,
    ...(['unknown_access_key', 'key_ended', 'key_succeeded', 'key_busy'] as const),
    ...(['forbidden', 'auth_off', 'too_many_keys', 'store_unavailable'] as const),
  ],
})

export const revokeKey = defineRoute({
  id: 'revokeKey',
  method: 'DELETE',
  path: '/keys/:id',
  scope: 'admin',
  tag: 'keys',
  summary: 'Revoke a key',
  description:
    'For good, and safe to repeat. Every gateway refuses it within 5 seconds and closes what it has open. Keys that it has made live on: the audit log names them.',
  request: { path: { id } },
  answers: [
    {
      status: 200,
      description: 'It is revoked, or was before.',
      mediaType: 'application/json',
      schema: Key,
      example: { ...exampleKey, status: 'revoked', revoked_at: '2026-03-02T10:00:00.000000Z' },
    },
  ],
  problems: ['unknown_access_key', 'forbidden', 'auth_off', 'store_unavailable'],
})

export const readAudit = defineRoute({
  id: 'readAudit',
  method: 'GET',
  path: '/audit',
  scope: 'admin',
  tag: 'keys',
  summary: 'Read what administrators did',
  description:
    'Newest first, or ascending with `after`. Numbers have no gap and are given in order: whoever has read up to one has missed nothing before it. It takes a key for all topics.',
  request: {
    query: {
      limit,
      after: { schema: number, description: 'Entries behind this number, ascending.', example: '0' },
      before: { schema: number, description: 'Entries before this number.', example: '42' },
    },
  },
  answers: [
    {
      status: 200,
      description: 'A page of entries.',
      mediaType: 'application/json',
      schema: v.array(AuditEntry),
      example: [
        {
          number: 41,
          at: '2026-03-01T10:00:00.000000Z',
          actor: 'Zq81mBv7Kc3d',
          client: '192.0.2.7',
          action: 'key_created',
          target: '4nJ2bWq8ZxT0',
          details: { name: 'shop', scopes: ['publish'], topics: ['orders.>'] },
        },
      ],
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters', 'forbidden', 'store_unavailable'],
})
