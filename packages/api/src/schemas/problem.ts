import * as v from 'valibot'
import { type ProblemCode, problems } from '../problems.ts'
import { Count, Seq } from './text.ts'

/** What does not fit, and where. It never repeats the value. */
const Issue = v.object({
  index: v.optional(v.pipe(Count, v.description('Which of an array, from 0.'))),
  path: v.pipe(v.string(), v.description('Which field or parameter; empty: all of it.')),
  code: v.pipe(v.string(), v.description('Never changes: match on it.')),
  message: v.string(),
})

export const BadEvents = v.array(v.object({ index: Count, errors: v.array(Issue) }))
export const BadLines = v.array(v.object({ line: Seq, errors: v.array(Issue) }))

/** RFC 9457. One schema for all codes; the fields behind `code` come with some of them. */
export const Problem = v.object({
  type: v.literal('about:blank'),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: v.pipe(v.string(), v.description('What is wrong and what to do, in sentences, which may change.')),
  code: v.pipe(
    v.picklist(Object.keys(problems) as ProblemCode[]),
    v.description('Never changes: match on it.'),
  ),
  errors: v.optional(v.array(Issue)),
  queued: v.optional(v.pipe(Count, v.description('How many events were queued all the same.'))),
  lines_read: v.optional(v.pipe(Count, v.description('Up to which line each is queued, bad or blank.'))),
  invalid: v.optional(v.pipe(Count, v.description('How many events or lines were bad.'))),
  lines: v.optional(v.pipe(BadLines, v.description('The first 100 of them, of lines.'))),
  events: v.optional(v.pipe(BadEvents, v.description('The first 100 of them, of an array.'))),
  event_id: v.optional(v.string()),
  seq: v.optional(v.pipe(Seq, v.description('Of the event that has the id.'))),
  topic: v.optional(v.pipe(v.string(), v.description('Whose log was restored.'))),
  epoch: v.optional(v.pipe(Seq, v.description('In which its log is now.'))),
  forked_at: v.optional(v.pipe(Count, v.description('The last seq that the log still has as it was read.'))),
  restored_at: v.optional(v.pipe(v.string(), v.description('When the log began to go on from there.'))),
  cursor: v.optional(v.pipe(v.string(), v.description('What to send instead, to go on from there.'))),
  reason: v.optional(v.pipe(v.string(), v.description('Why the event became a dead letter.'))),
  in_flight: v.optional(v.nullable(v.boolean())),
  matched: v.optional(v.pipe(Count, v.description('How many dead letters match now.'))),
  topics: v.optional(
    v.pipe(v.array(v.string()), v.description('Those that have too much in flight, up to 100.')),
  ),
})
