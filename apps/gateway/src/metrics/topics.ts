/**
 * Figures by topic, for a bounded number of topics: a label is a time series in the scraper's memory, and whoever may
 * publish may also make topics. Those with most in flight come first, then those that were used most; what the others
 * have together is under `_other`.
 */
import type { Sample } from '@sekali/process/metrics'
import type { TopicFigures } from '../operate/figures.ts'

const other = '_other'

/** What is known of a topic at one moment. */
export interface TopicNow {
  readonly topic: string
  /** The topic's last seq. */
  readonly head: number | null
  readonly inFlight: number | null
  /** For how many seconds the entry that waits longest has been in flight; 0 if none is. */
  readonly oldestSeconds: number | null
}

type Figure = Exclude<keyof TopicNow, 'topic'>

export type TopicSamples = Readonly<Record<Figure, readonly Sample[]>>

/**
 * `oldest` is, by topic, the time by Redis's clock at which the entry that waits longest was accepted; undefined if that
 * could not be read.
 */
export function topicsNow(
  topics: readonly TopicFigures[],
  oldest: ReadonlyMap<string, number> | undefined,
  nowMs: number | undefined,
): TopicNow[] {
  const secondsOf = ({ topic, inFlight }: TopicFigures): number | null => {
    if (inFlight === null || oldest === undefined || nowMs === undefined) return null
    const sinceMs = oldest.get(topic)
    return sinceMs === undefined ? 0 : Math.max(0, nowMs - sinceMs) / 1_000
  }
  return topics.map((one) => ({
    topic: one.topic,
    head: one.headSeq,
    inFlight: one.inFlight,
    oldestSeconds: secondsOf(one),
  }))
}

/** The longest of all topics; `null` if it is unknown of any, because that one may be it. */
export const longestOf = (topics: readonly TopicNow[]): number | null =>
  topics.reduce<number | null>((longest, { oldestSeconds }) => {
    return longest === null || oldestSeconds === null ? null : Math.max(longest, oldestSeconds)
  }, 0)

export function topicSamples(topics: readonly TopicNow[], max: number): TopicSamples {
  // A topic may have that very name, and would be a second series of it.
  const named = topics
    .filter(({ topic }) => topic !== other)
    .sort(byWeight)
    .slice(0, max)
  const shown = new Set(named.map(({ topic }) => topic))
  const rest = topics.filter(({ topic }) => !shown.has(topic))
  const of = (figure: Figure, ofRest: () => number | null): Sample[] => [
    ...named.map((one) => ({ labels: { topic: one.topic }, value: one[figure] })),
    ...(rest.length === 0 ? [] : [{ labels: { topic: other }, value: ofRest() }]),
  ]
  const sumOf = (figure: Figure) => () =>
    rest.reduce<number | null>((sum, one) => {
      const value = one[figure]
      return sum === null || value === null ? null : sum + value
    }, 0)
  return {
    head: of('head', sumOf('head')),
    inFlight: of('inFlight', sumOf('inFlight')),
    oldestSeconds: of('oldestSeconds', () => longestOf(rest)),
  }
}

function byWeight(a: TopicNow, b: TopicNow): number {
  const inFlight = (b.inFlight ?? 0) - (a.inFlight ?? 0)
  if (inFlight !== 0) return inFlight
  const head = (b.head ?? 0) - (a.head ?? 0)
  return head !== 0 ? head : a.topic < b.topic ? -1 : 1
}
