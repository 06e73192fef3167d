import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { Operation, Redrive, RedriveCount } from '../schemas/letter.ts'
import { bodyProblems } from './letters.ts'

export const exampleOperation = {
  id: 3,
  kind: 'redrive',
  state: 'running',
  filter: { topic: 'orders.>', reason: '23514' },
  as_of: 'e-512',
  rate: 50,
  matched: 412,
  done: 150,
  outcomes: { redriven: 149, not_an_event: 1 },
  created_at: '2025-12-08T11:00:00.000000Z',
  created_by: '4nJ2bWq8ZxT0',
  finished_at: null,
} as const

const id = {
  schema: v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/)),
  description: 'The id of an operation.',
  example: '3',
} as const

export const listOperations = defineRoute({
  id: 'listOperations',
  method: 'GET',
  path: '/operations',
  scope: 'admin',
  tag: 'letters',
  summary: 'List operations, such as redrives',
  description:
    'Newest first. A key sees those of its topics, so a page may be short: go on as long as there is a Link.',
  request: {
    query: {
      limit: {
        schema: wholeNumber(1, limits.pageSizeMax, limits.pageSizeDefault),
        description: 'At most so many.',
        example: '100',
      },
      before: {
        schema: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
        description: 'Those before this id.',
        example: '42',
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'A page of operations.',
      mediaType: 'application/json',
      schema: v.array(Operation),
      example: [exampleOperation],
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters', 'store_unavailable'],
})

export const readOperation = defineRoute({
  id: 'readOperation',
  method: 'GET',
  path: '/operations/:id',
  scope: 'admin',
  tag: 'letters',
  summary: 'Show how far an operation is',
  description: 'It goes on by itself, whichever gateway dies: another takes it over within 15 seconds.',
  request: { path: { id } },
  answers: [
    {
      status: 200,
      description: 'The operation.',
      mediaType: 'application/json',
      schema: Operation,
      example: exampleOperation,
    },
  ],
  problems: ['unknown_operation', 'store_unavailable'],
})

export const cancelOperation = defineRoute({
  id: 'cancelOperation',
  method: 'POST',
  path: '/operations/:id/cancel',
  scope: 'admin',
  tag: 'letters',
  summary: 'End an operation where it is',
  description: 'What is done stays done. Safe to repeat.',
  request: { path: { id } },
  answers: [
    {
      status: 200,
      description: 'It is cancelled, or was before.',
      mediaType: 'application/json',
      schema: Operation,
      example: { ...exampleOperation, state: 'cancelled', finished_at: '2025-12-08T11:00:03.000000Z' },
    },
  ],
  problems: ['unknown_operation', 'operation_over', 'forbidden', 'store_unavailable'],
})

export const redrive = defineRoute({
  id: 'redrive',
  method: 'POST',
  path: '/dead-letters/redrive',
  scope: 'admin',
  tag: 'letters',
  summary: 'Append or hand out open dead letters again',
  description:
    'First with `dry_run`, which counts. Then with the `as_of` and `matched` of that as `as_of` and `expect`: what comes later is not in it, and if the count is another by then nothing is done. Events keep their ids, so one that is appended twice is stored once. With a `subscription` it is about deliveries: workers get them again, and it is done at once. The key must cover the topics of the filter, and those of the subscription.',
  request: {
    bodies: [
      {
        mediaType: 'application/json',
        schema: Redrive,
        example: { filter: { topic: 'orders.>', reason: '23514' }, dry_run: true },
      },
    ],
  },
  answers: [
    {
      status: 200,
      description: 'The count of a dry run; or of deliveries, which workers get again.',
      mediaType: 'application/json',
      schema: RedriveCount,
      example: { matched: 412, by_reason: { '23514': 412 }, as_of: 'e-512' },
    },
    {
      status: 202,
      description: 'It has begun, and goes on by itself.',
      mediaType: 'application/json',
      schema: Operation,
      example: exampleOperation,
      headers: { Location: 'always' },
    },
  ],
  problems: [
    ...bodyProblems,
    ...([
      'forbidden',
      'unknown_subscription',
      'count_changed',
      'too_many_operations',
      'store_unavailable',
    ] as const),
  ],
})
