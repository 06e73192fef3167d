import * as v from 'valibot'
import { Count, Epoch, Instant, InstantText } from './text.ts'

export const BeginEpochs = v.strictObject({
  dry_run: v.optional(v.pipe(v.boolean('must be true or false'), v.description('Only count.'))),
  restored_at: v.optional(
    v.pipe(
      InstantText,
      v.description(
        'When PostgreSQL was put back: the logs fork behind what was stored before that. Without it they fork where they end.',
      ),
    ),
  ),
})

export const EpochsCount = v.object({
  topics: Count,
  events: Count,
  newest_stored_at: v.pipe(
    v.nullable(Instant),
    v.description('When the newest event was stored; null if there is none.'),
  ),
  started_at: v.pipe(
    Instant,
    v.description('When PostgreSQL started, which is as a rule after it was put back.'),
  ),
  stored_since_start: v.pipe(Count, v.description('Topics in which something was stored since then.')),
})

export const EpochsBegun = v.object({ epoch: Epoch, topics: Count })
