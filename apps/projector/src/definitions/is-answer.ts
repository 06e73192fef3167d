import type { StoredEvent } from '@sekali/core/event'
import type { Folded, Refusal } from '@sekali/projection/fold'

/**
 * Whether an answer is one that a fold of these events with these keys can give. The answer comes from the process that
 * runs definitions, and decides which states and checkpoints are stored.
 */
export function isAnswerTo(events: readonly StoredEvent[], keys: ReadonlySet<string>) {
  const isRefusal = (refusal: Refusal | undefined, among: readonly (StoredEvent | undefined)[]) =>
    typeof refusal?.message === 'string' &&
    among.some((event) => event?.topic === refusal.event?.topic && event?.seq === refusal.event?.seq)
  const isCount = (count: unknown, atMost: number) =>
    Number.isInteger(count) && (count as number) >= 0 && (count as number) <= atMost
  return (folded: Folded | undefined): boolean => {
    if (!(folded?.states instanceof Map) || !isCount(folded.count, events.length)) return false
    const { states, count, skipped, failure } = folded
    return (
      [...states].every(([key, state]) => keys.has(key) && typeof state === 'string') &&
      (skipped === undefined || (isCount(skipped.count, count) && isRefusal(skipped.last, events))) &&
      (failure === undefined ? count === events.length : isRefusal(failure, [events[count]]))
    )
  }
}
