/** What subscriptions of every kind have. */
import {
  isPointer,
  subscriptionLimits as max,
  pointerRule,
  subscriptionOrders,
} from '@sekali/core/subscription'
import * as v from 'valibot'
import { Count, Instant, SourceText, Topic, TopicPattern } from './text.ts'

export const objectRule = 'must be a JSON object'

/** A number of a body, in a range. */
export function numberFrom(min: number, most: number) {
  const rule = `must be a whole number from ${min} to ${most}`
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(min, rule), v.maxValue(most, rule))
}

/** Named as topics are. */
export const SubscriptionName = Topic

/** Characters of a cursor over 500 topics are below 10,000. */
const fromCharsMax = 12 * 1024

const fromRule = 'must be start, now, a time, or a cursor'
export const From = v.pipe(
  v.string(fromRule),
  v.minLength(1, fromRule),
  v.maxLength(fromCharsMax, fromRule),
  v.description(
    '`start`, `now`, the time from which on it was stored, or a cursor: of one topic the seq to begin behind, with its epoch before it if that is not 1; of a pattern the cursor of a link or `topic:seq` pairs joined by commas.',
  ),
)

/** What PostgreSQL can hold: neither NUL nor half of a surrogate pair. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

const Pointer = v.pipe(
  v.string(pointerRule),
  v.maxLength(max.filterTextCharsMax, pointerRule),
  v.check((text) => isPointer(text) && isStorable(text), pointerRule),
  v.metadata({ pattern: '^(?:/(?:[^~/]|~[01])*)+$' }),
)

const scalarRule = `must be a text of at most ${max.filterTextCharsMax} characters without NUL, a number, true, false or null`
const Scalar = v.union(
  [
    v.pipe(v.string(), v.maxLength(max.filterTextCharsMax, scalarRule), v.check(isStorable, scalarRule)),
    v.number(scalarRule),
    v.boolean(),
    v.null(),
  ],
  scalarRule,
)

const sourcesRule = `must be an array of 1 to ${max.filterSourcesMax} sources`
const scalarsRule = `must be an array of 1 to ${max.filterValuesMax} texts, numbers, true, false or null`
const payloadRule = `must be an object of 1 to ${max.filterPointersMax} JSON pointers`

const filterEntries = {
  sources: v.optional(
    v.pipe(
      v.array(SourceText, sourcesRule),
      v.minLength(1, sourcesRule),
      v.maxLength(max.filterSourcesMax, sourcesRule),
      v.description('Only events of these.'),
    ),
  ),
  payload: v.optional(
    v.pipe(
      v.record(
        Pointer,
        v.pipe(
          v.array(Scalar, scalarsRule),
          v.minLength(1, scalarsRule),
          v.maxLength(max.filterValuesMax, scalarsRule),
        ),
        payloadRule,
      ),
      v.minEntries(1, payloadRule),
      v.maxEntries(max.filterPointersMax, payloadRule),
      v.description('Only events whose payload has one of these values at each of these JSON pointers.'),
    ),
  ),
}

/** What is said once. */
export const fixedFields = {
  topics: v.pipe(
    TopicPattern,
    v.description('A topic or a pattern; of a pattern also the topics that are to come, however many.'),
  ),
  order: v.optional(
    v.pipe(
      v.picklist(subscriptionOrders, `must be one of ${subscriptionOrders.join(', ')}`),
      v.description(
        '`source`: never two events of a source at a time, and by their seq. `topic`: one batch of a topic at a time.',
      ),
    ),
    'none',
  ),
  filter: v.optional(
    v.pipe(
      v.strictObject(filterEntries, objectRule),
      v.description('What does not match counts as settled.'),
    ),
  ),
  from: v.optional(v.pipe(From, v.description('Where it begins, when it is made: see seek.')), 'now'),
}

export const Blocker = v.object({
  topic: Topic,
  source: v.optional(v.pipe(v.string(), v.description('Without one it is the whole topic.'))),
})

/** What is shown of it. */
export const shownFields = {
  name: SubscriptionName,
  topics: TopicPattern,
  order: v.picklist(subscriptionOrders),
  filter: v.optional(v.object(filterEntries)),
  lag: v.pipe(
    Count,
    v.description('Events of its topics behind the floors: those that are not settled, and some that are.'),
  ),
  lag_is_bound: v.pipe(
    v.boolean(),
    v.description('True with a filter: lag counts also what does not match.'),
  ),
  outstanding: v.pipe(Count, v.description('Events that workers have, or that are on their way.')),
  retrying: v.pipe(Count, v.description('Events that are handed out again later.')),
  waiting: v.pipe(
    Count,
    v.description('Events that were looked at and wait for others of their source or topic.'),
  ),
  dead: v.pipe(Count, v.description('Its open dead letters.')),
  blocked: v.pipe(
    v.array(Blocker),
    v.description('Sources, or topics, that stand behind a dead letter, with `block`. At most 10.'),
  ),
  oldest_unsettled_at: v.pipe(
    v.nullable(Instant),
    v.description('When the oldest event that is not settled was stored; null if all are.'),
  ),
  created_at: Instant,
  created_by: v.pipe(v.string(), v.description('The id of the key that made it, or who else did.')),
  changed_at: Instant,
}
