/** The two routes of workers. */
import { defineRoute } from '../route.ts'
import { exampleStored } from '../schemas/event.ts'
import { Pull, Pulled, Settle, Settled } from '../schemas/work.ts'
import { bodyProblems } from './letters.ts'
import { itsProblems, path } from './subscriptions.ts'

const exampleToken = '3q2-7wAAQACAAAAAAAAAAA.1.1.7.1.1'

export const pull = defineRoute({
  id: 'pull',
  method: 'POST',
  path: '/subscriptions/:name/pull',
  scope: 'work',
  tag: 'subscriptions',
  summary: 'Take events to work on',
  description:
    'Nobody else gets them until the lease ends. Settle each by its token, or all of them by the one of the pull. With `wait_s` it is answered once there is something. A worker that waits is counted among the tails. Many that wait are served in the order in which they came.',
  request: {
    path,
    bodies: [
      {
        mediaType: 'application/json',
        schema: Pull,
        example: { max: 100, wait_s: 20, worker: 'w-1' },
      },
    ],
  },
  answers: [
    {
      status: 200,
      description:
        'Events with their tokens. Without any, if busy sources hold all others back: `blocked_by` names them, and `Retry-After` says when to ask again.',
      mediaType: 'application/json',
      schema: Pulled,
      example: {
        items: [{ token: exampleToken, attempt: 1, event: exampleStored }],
        token: '3q2-7wAAQACAAAAAAAAAAA.1.1',
        lease_until: '2025-12-08T10:00:30.107213Z',
        lease_s: 30,
      },
      headers: { 'Retry-After': 'sometimes' },
    },
    { status: 204, description: 'There is nothing.', headers: { 'Retry-After': 'always' } },
  ],
  problems: [
    ...bodyProblems,
    ...(['forbidden', 'not_pull', 'subscription_paused', 'too_many_tails', ...itsProblems] as const),
  ],
})

export const settle = defineRoute({
  id: 'settle',
  method: 'POST',
  path: '/subscriptions/:name/settle',
  scope: 'work',
  tag: 'subscriptions',
  summary: 'Settle what was pulled',
  description:
    'A token is good as long as nobody else was given its event, also when the lease is over. Safe to repeat: what is settled stays so.',
  request: {
    path,
    bodies: [
      {
        mediaType: 'application/json',
        schema: Settle,
        example: { items: [{ token: exampleToken, do: 'ack' }] },
      },
    ],
  },
  answers: [
    {
      status: 200,
      description: 'What came of each.',
      mediaType: 'application/json',
      schema: Settled,
      example: { items: [{ token: exampleToken, result: 'done' }] },
    },
  ],
  problems: [...bodyProblems, 'forbidden', 'not_pull', ...itsProblems],
})
