/** The routes of subscriptions whose events are sent: webhooks. */
import { limits } from '@sekali/core/limits'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { Attempt, AttemptStateText, NumberText } from '../schemas/attempt.ts'
import { RotatedSecret } from '../schemas/push.ts'
import { SubscriptionName } from '../schemas/subscription-fields.ts'
import { Seq, Topic } from '../schemas/text.ts'
import { exampleSecret, exampleSecrets, itsProblems, path } from './subscriptions.ts'

const exampleAttempt = {
  id: 812,
  at: '2025-12-08T10:00:00.107213Z',
  kind: 'event',
  topic: 'orders.eu.paid',
  seq: 7,
  attempt: 1,
  state: 'failed',
  status: 503,
  error: null,
  duration_ms: 41,
  request: {
    url: 'https://shop.example/hooks',
    headers: {
      'webhook-id': 'evt_9Zl5nq0mX3cP1tYwB7uKdE2sRfa',
      'webhook-timestamp': '1765188000',
      'sekali-attempt': '1',
    },
  },
  response: { headers: { 'content-type': 'text/plain' }, body: 'busy', cut: false },
  retry_in_s: 6,
} as const

const of = { tag: 'subscriptions', request: { path } } as const
const ofPush = ['forbidden', 'not_push', ...itsProblems] as const

export const testEndpoint = defineRoute({
  ...of,
  id: 'testEndpoint',
  method: 'POST',
  path: '/subscriptions/:name/test',
  scope: 'admin',
  summary: 'Send a sample to the endpoint of a subscription',
  description:
    'A dispatcher sends it, signed as all others, also while the subscription is paused or disabled. The answer waits for what comes back.',
  answers: [
    {
      status: 200,
      description: 'What was sent and what came back, whether it was delivered or not.',
      mediaType: 'application/json',
      schema: Attempt,
      example: {
        ...exampleAttempt,
        kind: 'test',
        topic: null,
        seq: null,
        state: 'delivered',
        status: 204,
        response: { headers: {}, body: '', cut: false },
        retry_in_s: null,
      },
    },
  ],
  problems: [...ofPush, 'too_many_tests', 'no_dispatcher'],
})

export const listAttempts = defineRoute({
  id: 'listAttempts',
  method: 'GET',
  path: '/subscriptions/:name/attempts',
  scope: 'read',
  tag: 'subscriptions',
  summary: 'List what was sent to an endpoint, and what came back',
  description: 'Newest first, of the last 30 days (ATTEMPTS_DAYS).',
  request: {
    path,
    query: {
      state: { schema: v.optional(AttemptStateText), description: 'Only these.', example: 'failed' },
      topic: {
        schema: v.optional(Topic),
        description: 'Only events of this topic.',
        example: 'orders.eu.paid',
      },
      seq: { schema: v.optional(NumberText), description: 'Only the event of this number.', example: '7' },
      after: {
        schema: v.optional(NumberText),
        description: 'Those listed behind this attempt.',
        example: '812',
      },
      limit: {
        // Each may have 16 KiB of an answer, so no page is larger than where nothing is said.
        schema: wholeNumber(1, limits.pageSizeDefault, limits.pageSizeDefault),
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
      schema: v.array(Attempt),
      example: [exampleAttempt],
      headers: { Link: 'sometimes' },
    },
  ],
  problems: ['invalid_parameters', ...ofPush],
})

export const retryDelivery = defineRoute({
  id: 'retryDelivery',
  method: 'POST',
  path: '/subscriptions/:name/deliveries/:topic/:seq/retry',
  scope: 'admin',
  tag: 'subscriptions',
  summary: 'Send one event to an endpoint again',
  description:
    'Now, if it waits for its next attempt, and once more if it was delivered or given up. It has the same webhook-id.',
  request: {
    path: {
      ...path,
      topic: { schema: Topic, description: 'Its topic.', example: 'orders.eu.paid' },
      seq: { schema: NumberText, description: 'Its number.', example: '7' },
    },
  },
  answers: [
    {
      status: 202,
      description: 'It is sent as soon as the endpoint has room for it.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('queued'), name: SubscriptionName, topic: Topic, seq: Seq }),
      example: { status: 'queued', name: 'shop', topic: 'orders.eu.paid', seq: 7 },
    },
  ],
  problems: [...ofPush, 'unknown_delivery', 'delivery_under_way', 'letter_settled', 'too_many_retries'],
})

export const rotateSecret = defineRoute({
  ...of,
  id: 'rotateSecret',
  method: 'POST',
  path: '/subscriptions/:name/secrets',
  scope: 'admin',
  summary: 'Make another secret for an endpoint',
  description:
    'The answer is the only place that shows it. Requests are signed with the old ones as well, for 24 hours.',
  answers: [
    {
      status: 201,
      description: 'It is made, and signs from now on.',
      mediaType: 'application/json',
      schema: RotatedSecret,
      example: { id: 2, secret: exampleSecret, secrets: exampleSecrets },
    },
  ],
  problems: [...ofPush, 'too_many_secrets', 'no_webhook_key'],
})

export const deleteSecret = defineRoute({
  id: 'deleteSecret',
  method: 'DELETE',
  path: '/subscriptions/:name/secrets/:id',
  scope: 'admin',
  tag: 'subscriptions',
  summary: 'Delete a secret of an endpoint',
  description:
    'At once: requests that are signed with it alone cannot be verified any more. The last one stays.',
  request: {
    path: { ...path, id: { schema: NumberText, description: 'The id of a secret.', example: '1' } },
  },
  answers: [
    {
      status: 200,
      description: 'It is gone.',
      mediaType: 'application/json',
      schema: v.object({ status: v.literal('deleted'), id: Seq }),
      example: { status: 'deleted', id: 1 },
    },
  ],
  problems: [...ofPush, 'unknown_secret', 'last_secret'],
})
