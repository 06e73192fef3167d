/** The rate of a topic now, as this page sees it: from one answer of /stats to the next. */

export interface Sample {
  readonly atMs: number
  /** By topic. */
  readonly accepted: ReadonlyMap<string, number | null>
}

/** Events a second between two samples; null where one of them is not known. */
export function rateOf(before: Sample | undefined, now: Sample | undefined, topic: string): number | null {
  if (before === undefined || now === undefined) return null
  const [then, last] = [before.accepted.get(topic), now.accepted.get(topic)]
  if (typeof then !== 'number' || typeof last !== 'number') return null
  const seconds = (now.atMs - before.atMs) / 1_000
  return seconds <= 0 ? null : Math.max(0, last - then) / seconds
}
