import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { MadeSubscription, NewSubscription, Seek, Sought, Subscription } from '../schemas/subscription.ts'
import { SubscriptionName } from '../schemas/subscription-fields.ts'
import { bodyProblems } from './letters.ts'

const example = {
  name: 'mailer',
  kind: 'pull',
  topics: 'orders.>',
  order: 'source',
  source_batch: 1,
  lease_s: 30,
  outstanding_max: 1_000,
  deliveries_max: 5,
  backoff_s: [1, 5, 30, 120],
  on_exhausted: 'skip',
  state: 'active',
  lag: 12,
  lag_is_bound: false,
  outstanding: 2,
  retrying: 1,
  waiting: 0,
  dead: 0,
  blocked: [],
  oldest_unsettled_at: '2025-12-08T10:00:00.107213Z',
  created_at: '2025-12-08T09:00:00.000000Z',
  created_by: '4nJ2bWq8ZxT0',
  changed_at: '2025-12-08T09:00:00.000000Z',
} as const

export const exampleSecret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
export const exampleSecrets = [
  { id: 2, created_at: '2025-12-08T11:00:00.000000Z', created_by: '4nJ2bWq8ZxT0', expires_at: null },
  {
    id: 1,
    created_at: '2025-12-08T09:00:00.000000Z',
    created_by: '4nJ2bWq8ZxT0',
    expires_at: '2025-12-09T11:00:00.000000Z',
  },
] as const

export const path = {
  name: { schema: SubscriptionName, description: 'The name of a subscription.', example: example.name },
} as const

const subscription = {
  status: 200,
  mediaType: 'application/json',
  schema: Subscription,
  example,
} as const

const of = { tag: 'subscriptions', request: { path } } as const
export const itsProblems = ['unknown_subscription', 'store_unavailable'] as const

export const listSubscriptions = defineRoute({
  id: 'listSubscriptions',
  method: 'GET',
  path: '/subscriptions',
  scope: 'read',
  tag: 'subscriptions',
  summary: 'List subscriptions',
  description: 'By name. A key sees those whose topics it covers.',
  request: {
    query: {
      after: {
        schema: v.optional(SubscriptionName),
        description: 'Those behind this name.',
        example: 'mailer',
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
      schema: v.array(Subscription),
      example: [example],
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters', 'store_unavailable'],
})

export const readSubscription = defineRoute({
  ...of,
  id: 'readSubscription',
  method: 'GET',
  path: '/subscriptions/:name',
  scope: 'read',
  summary: 'Show a subscription, and how far it is',
  description: 'The key must cover its topics.',
  answers: [{ ...subscription, description: 'The subscription.' }],
  problems: ['forbidden', ...itsProblems],
})

export const putSubscription = defineRoute({
  ...of,
  id: 'putSubscription',
  method: 'PUT',
  path: '/subscriptions/:name',
  scope: 'admin',
  summary: 'Make a subscription, or change it',
  description:
    'What is left out gets its default, also in a change. `kind`, `topics`, `order`, `source_batch` and `filter` stay as they are for good, and `from` counts only when it is made. Safe to repeat. A change is in the audit log. One of the kind `push` sends its events away: the key needs the scope `read`, too.',
  request: {
    path,
    bodies: [
      {
        mediaType: 'application/json',
        schema: NewSubscription,
        example: {
          topics: 'orders.>',
          from: 'start',
          order: 'source',
          filter: { payload: { '/status': ['paid'] } },
        },
      },
    ],
  },
  answers: [
    {
      ...subscription,
      status: 201,
      schema: MadeSubscription,
      description: 'It is made. Of the kind `push`: no other answer has its secret.',
      headers: { Location: 'always' },
    },
    { ...subscription, description: 'It was there, and is as asked for now.' },
  ],
  problems: [
    ...bodyProblems,
    ...(['forbidden', 'immutable_field', 'too_many_subscriptions', 'no_webhook_key'] as const),
    ...(['cursor_ahead', 'store_unavailable'] as const),
  ],
})

export const pauseSubscription = defineRoute({
  ...of,
  id: 'pauseSubscription',
  method: 'POST',
  path: '/subscriptions/:name/pause',
  scope: 'admin',
  summary: 'Hand out nothing of a subscription',
  description:
    'What workers have they can settle, and what is being sent ends. Nothing is lost: what comes is handed out, or sent, later.',
  answers: [{ ...subscription, description: 'It is paused.', example: { ...example, state: 'paused' } }],
  problems: ['forbidden', ...itsProblems],
})

export const resumeSubscription = defineRoute({
  ...of,
  id: 'resumeSubscription',
  method: 'POST',
  path: '/subscriptions/:name/resume',
  scope: 'admin',
  summary: 'Hand out events of a subscription again',
  description: 'An endpoint that is disabled or throttled is tried again, too. Safe to repeat.',
  answers: [{ ...subscription, description: 'It is active.' }],
  problems: ['forbidden', ...itsProblems],
})

export const seekSubscription = defineRoute({
  ...of,
  id: 'seekSubscription',
  method: 'POST',
  path: '/subscriptions/:name/seek',
  scope: 'admin',
  summary: 'Have a subscription begin anew at another place',
  description:
    'What is before the place counts as settled, what is behind it is handed out, also what was settled before. Tokens end. First with `dry_run`, which says what would move.',
  request: {
    path,
    bodies: [{ mediaType: 'application/json', schema: Seek, example: { from: 'start', dry_run: true } }],
  },
  answers: [
    {
      status: 200,
      description: 'What moved, or would.',
      mediaType: 'application/json',
      schema: Sought,
      example: { dry_run: true, lost: 2, again: 400, skipped: 0 },
    },
  ],
  problems: [...bodyProblems, ...(['forbidden', 'cursor_ahead', ...itsProblems] as const)],
})

export const deleteSubscription = defineRoute({
  ...of,
  id: 'deleteSubscription',
  method: 'DELETE',
  path: '/subscriptions/:name',
  scope: 'admin',
  summary: 'Delete a subscription',
  description: 'With what it knows of its workers or its endpoint, and its dead letters. The events stay.',
  answers: [
    {
      status: 200,
      description: 'It is gone.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('deleted'), name: SubscriptionName }),
      example: { status: 'deleted', name: example.name },
    },
  ],
  problems: ['forbidden', ...itsProblems],
})
