import { badBound } from '@sekali/core/bound'
import type { Issue } from '@sekali/core/errors'
import type { TopicPattern } from '@sekali/core/pattern'
import { normalizeTimestamp } from '@sekali/core/timestamp'
import type { From } from '@sekali/store/subscription-types'
import { parseBound } from '../read/query.ts'

/** Where a subscription is to begin, as a body has it: `start`, `now`, a time, or a cursor. */
export function parseFrom(
  text: string,
  topics: TopicPattern,
): { readonly from: From } | { readonly issue: Issue } {
  if (text === 'start' || text === 'now') return { from: text }
  const time = normalizeTimestamp(text)
  if (time !== undefined) return { from: { time } }
  const after = parseBound(topics.text, text, 0)
  if (after !== undefined) return { from: { after } }
  const { message, ...issue } = badBound('from', topics.isPattern)
  return { issue: { ...issue, message: `${message}; or start, now, or a time with an offset` } }
}
