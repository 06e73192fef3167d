import { defineRoute } from '../route.ts'
import { BeginEpochs, EpochsBegun, EpochsCount } from '../schemas/epochs.ts'
import { bodyProblems } from './letters.ts'

export const beginEpochs = defineRoute({
  id: 'beginEpochs',
  method: 'POST',
  path: '/epochs',
  scope: 'admin',
  tag: 'operate',
  summary: 'Begin another epoch of all logs',
  description:
    'For when PostgreSQL was put back to an earlier state and Redis has lost its data, too: where Redis has them, consumers begin epochs by themselves. Whoever has read further than the log goes is told so from then on (`log_restored`). First with `dry_run`, which counts. Safe twice. The key must cover all topics.',
  request: {
    bodies: [
      {
        mediaType: 'application/json',
        schema: BeginEpochs,
        example: { restored_at: '2025-12-08T11:00:00Z' },
      },
    ],
  },
  answers: [
    {
      status: 201,
      description: 'It has begun.',
      mediaType: 'application/json',
      schema: EpochsBegun,
      example: { epoch: 29_502_000, topics: 3 },
    },
    {
      status: 200,
      description: 'The count of a dry run.',
      mediaType: 'application/json',
      schema: EpochsCount,
      example: {
        topics: 3,
        events: 650,
        newest_stored_at: '2025-12-08T11:02:00.000000Z',
        started_at: '2025-12-08T11:00:00.000000Z',
        stored_since_start: 1,
      },
    },
  ],
  problems: [...bodyProblems, 'forbidden', 'store_unavailable'],
})
