/** Nobody makes, sees or changes a key that may do more than their own: an admin of a few topics stays one of these. */
import { allowsPattern, type Grant, isBoundBySource, mayGive } from '@sekali/core/access'
import type { Issue } from '@sekali/core/errors'

type Powers = Omit<Grant, 'holder'>

const limitNames = { eventsPerSecond: 'events_per_second', bytesPerSecond: 'bytes_per_second' } as const

/** In what the second may do more than the first, by field. */
export function moreThan(own: Powers, other: Powers): readonly Issue[] {
  const issues: Issue[] = []
  const note = (path: string, message: string) => issues.push({ path, code: 'beyond_own_key', message })
  for (const scope of other.scopes) {
    if (!mayGive(own.scopes, scope)) note('scopes', `must not have ${scope}, which your key does not have`)
  }
  for (const [index, pattern] of other.topics.entries()) {
    if (!allowsPattern(own, pattern)) note(`topics.${index}`, 'must be within the topics of your key')
  }
  if (own.source !== undefined && other.source !== own.source && isBoundBySource(other.scopes))
    note('source', 'must be the source of your key')
  for (const name of ['eventsPerSecond', 'bytesPerSecond'] as const) {
    const most = own[name]
    if (most !== undefined && (other[name] ?? Number.POSITIVE_INFINITY) > most) {
      note(limitNames[name], 'must be there, and no more than that of your key')
    }
  }
  return issues
}
