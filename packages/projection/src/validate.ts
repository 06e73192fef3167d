import { stringifyAsRead } from '@sekali/core/json'
import { parsePattern, TopicPatternText } from '@sekali/core/pattern'
import * as v from 'valibot'
import type { Projection } from './define.ts'
import { limits } from './limits.ts'
import { snapshot } from './snapshot.ts'

/** A valid definition, with a value for each field that a file may leave out. */
export interface Definition {
  readonly projection: Projection
  readonly name: string
  readonly version: number
  readonly topics: readonly TopicPatternText[]
  /** Matches the name of each topic that is folded; to PostgreSQL's `~` it means the same. */
  readonly topicRegex: RegExp
  readonly keyed: boolean
  /** JSON. */
  readonly initial: string
}

const isFunction = (value: unknown) => typeof value === 'function'
const wholeNumberRule = 'must be a whole number from 1 to 2147483647'
const topicsRule = `must be a topic or a pattern, or 1 to ${limits.topicsMax} of them`

const Fields = v.object({
  name: v.pipe(
    v.string('must be a string'),
    v.regex(/^[\w-]{1,64}$/, `must be 1 to ${limits.nameCharsMax} of A-Z a-z 0-9 _ -`),
  ),
  version: v.optional(
    v.pipe(
      v.number(wholeNumberRule),
      v.integer(wholeNumberRule),
      v.minValue(1, wholeNumberRule),
      v.maxValue(2 ** 31 - 1, wholeNumberRule),
    ),
    1,
  ),
  topics: v.union(
    [
      v.pipe(
        TopicPatternText,
        v.transform((topic) => [topic]),
      ),
      v.pipe(
        v.array(TopicPatternText),
        v.minLength(1, topicsRule),
        v.maxLength(limits.topicsMax, topicsRule),
      ),
    ],
    topicsRule,
  ),
  initial: v.custom<unknown>((value) => value !== undefined, 'must be a JSON value'),
  apply: v.custom<Projection['apply']>(isFunction, 'must be a function (state, event) => state'),
  onError: v.optional(v.picklist(['stop', 'skip'], "must be 'stop' or 'skip'")),
  key: v.optional(
    v.custom<NonNullable<Projection['key']>>(isFunction, 'must be a function (event) => string'),
  ),
})

/** Whether it looks like a projection at all, well made or not. */
export const isProjection = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'topics' in value && 'apply' in value

/** Checks what a file exports. Throws a `TypeError` that names what does not fit. */
export function validate(value: unknown): Definition {
  const parsed = v.safeParse(Fields, value)
  if (!parsed.success) {
    throw new TypeError(
      parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'it'} ${wordsOf(issue)}`).join('; '),
    )
  }
  const { name, version, topics, initial, key } = parsed.output
  const patterns = topics.map((topic) => parsePattern(topic).regExp.source)
  return {
    projection: value as Projection,
    name,
    version,
    topics,
    topicRegex: new RegExp(patterns.join('|')),
    keyed: key !== undefined,
    initial: stringifyAsRead(snapshot(initial).state),
  }
}

const wordsOf = (issue: v.BaseIssue<unknown>): string =>
  issue.type === 'object' ? 'is missing' : issue.message
