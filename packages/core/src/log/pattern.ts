/**
 * A pattern names topics by their segments: `*` stands for exactly one segment, wherever it is; `>` for one or more,
 * at the end only. `orders.*` is one level, `orders.>` everything below, `*.paid` the ends, `>` all topics. Without
 * either it is the one topic of that name.
 */
import * as v from 'valibot'
import { limits } from '../limits.ts'

const patternRule =
  `must be 1 to ${limits.topicCharsMax} characters: segments of A-Z a-z 0-9 _ - joined by dots, ` +
  'of which any may be * and the last one >'

export const TopicPatternText = v.pipe(
  v.string(patternRule),
  v.maxLength(limits.topicCharsMax, patternRule),
  v.regex(/^(?:(?:[\w-]+|\*)\.)*(?:[\w-]+|\*|>)$/, patternRule),
  v.brand('TopicPatternText'),
)
export type TopicPatternText = v.InferOutput<typeof TopicPatternText>

export interface TopicPattern {
  readonly text: TopicPatternText
  /** Whether it has a wildcard; without one it is the name of a topic. */
  readonly isPattern: boolean
  /** Matches the whole name. Its source means the same to PostgreSQL's `~`. */
  readonly regExp: RegExp
}

/** Throws valibot's `ValiError` on what {@link TopicPatternText} refuses. */
export function parsePattern(text: string): TopicPattern {
  const parsed = v.parse(TopicPatternText, text)
  let regExp: RegExp | undefined
  return {
    text: parsed,
    isPattern: isPattern(parsed),
    // Few have it used, and to make one costs more than all the rest of a pattern.
    get regExp() {
      regExp ??= toRegExp(parsed)
      return regExp
    },
  }
}

/** Whether it has a wildcard, and so can mean more than one topic. */
export const isPattern = (text: string): boolean => /[*>]/.test(text)

export const matches = ({ regExp }: TopicPattern, topic: string): boolean => regExp.test(topic)

// The segments' own characters mean themselves in a regular expression.
const toRegExp = (text: TopicPatternText): RegExp =>
  new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replaceAll('>', '.+')}$`)
