/** What was sent to an endpoint, and what came back. */
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { Count, Epoch, Instant, Seq, Topic } from './text.ts'

const attemptStates = ['delivered', 'failed'] as const

export const AttemptStateText = v.picklist(attemptStates, `must be ${attemptStates.join(' or ')}`)

/** The number of an attempt, or of a seq, as a query has it. */
export const NumberText = wholeNumber(1, Number.MAX_SAFE_INTEGER)

const Headers = v.record(v.string(), v.union([v.string(), v.array(v.string())]))

/** An attempt, and what came of it. */
export const Attempt = v.object({
  id: Seq,
  at: v.pipe(Instant, v.description('When it began.')),
  kind: v.pipe(
    v.picklist(['event', 'probe', 'test']),
    v.description(
      'probe: whether one that is disabled answers again. test: a sample, which somebody asked for.',
    ),
  ),
  topic: v.nullable(Topic),
  epoch: v.optional(Epoch),
  seq: v.nullable(Seq),
  attempt: v.pipe(Count, v.description('1 the first time.')),
  state: v.picklist(attemptStates),
  status: v.pipe(v.nullable(v.number()), v.description('Of the answer; null if none came.')),
  error: v.pipe(v.nullable(v.string()), v.description('Why it failed, where the status does not say it.')),
  duration_ms: Count,
  request: v.object({
    url: v.string(),
    headers: v.pipe(Headers, v.description('Without the values that are secrets.')),
  }),
  response: v.nullable(
    v.object({
      headers: Headers,
      body: v.string(),
      cut: v.pipe(
        v.boolean(),
        v.description('There was more: of a failure 16 KiB are kept, of a success 1 KiB.'),
      ),
    }),
  ),
  retry_in_s: v.pipe(
    v.nullable(v.number()),
    v.description('After so long it is sent again; null if it is not.'),
  ),
})
