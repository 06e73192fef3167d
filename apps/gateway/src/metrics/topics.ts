/**
 * Figures by topic, for a bounded number of topics: a label is a time series in the scraper's memory, and whoever may
 * publish may also make topics. Those with most in flight come first, then those that were used most; what the others
 * have together is under `_other`.
 *
 * There may be tens of thousands of topics, and publishing goes on during a scrape: so it is done in portions.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Sample } from '@sekali/process/metrics'
import type { TopicFigures } from '../operate/figures.ts'
import { type Waits, waitOf } from '../operate/oldest.ts'

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

/** Between two portions the event loop serves others. */
const topicsPerPortion = 500

export async function topicsNow(topics: readonly TopicFigures[], waits: Waits): Promise<TopicNow[]> {
  const now: TopicNow[] = []
  for await (const portion of portionsOf(topics)) {
    for (const one of portion) {
      const { topic, headSeq: head, inFlight } = one
      now.push({ topic, head, inFlight, oldestSeconds: waitOf(one, waits) })
    }
  }
  return now
}

export async function topicSamples(topics: readonly TopicNow[], max: number): Promise<TopicSamples> {
  let named: TopicNow[] = []
  for await (const portion of portionsOf(topics)) {
    // A topic may have that very name, and would be a second series of it.
    const own = portion.filter(({ topic }) => topic !== other)
    named = [...named, ...own].sort(byWeight).slice(0, max)
  }
  const rest = await restOf(topics, new Set(named.map(({ topic }) => topic)))
  const of = (figure: Figure): Sample[] => [
    ...named.map((one) => ({ labels: { topic: one.topic }, value: one[figure] })),
    ...(rest === undefined ? [] : [{ labels: { topic: other }, value: rest[figure] }]),
  ]
  return { head: of('head'), inFlight: of('inFlight'), oldestSeconds: of('oldestSeconds') }
}

/** What those have together that are not shown; undefined without any. */
async function restOf(
  topics: readonly TopicNow[],
  shown: ReadonlySet<string>,
): Promise<Omit<TopicNow, 'topic'> | undefined> {
  if (shown.size === topics.length) return undefined
  let [head, inFlight, oldestSeconds]: [Known, Known, Known] = [0, 0, 0]
  for await (const portion of portionsOf(topics)) {
    for (const one of portion) {
      if (shown.has(one.topic)) continue
      head = sumOf(head, one.head)
      inFlight = sumOf(inFlight, one.inFlight)
      oldestSeconds = longerOf(oldestSeconds, one.oldestSeconds)
    }
  }
  return { head, inFlight, oldestSeconds }
}

type Known = number | null

const sumOf = (a: Known, b: Known): Known => (a === null || b === null ? null : a + b)
const longerOf = (a: Known, b: Known): Known => (a === null || b === null ? null : Math.max(a, b))

async function* portionsOf<T>(items: readonly T[]): AsyncGenerator<readonly T[], void> {
  for (let at = 0; at < items.length; at += topicsPerPortion) {
    if (at > 0) await nextRound()
    yield items.slice(at, at + topicsPerPortion)
  }
}

function byWeight(a: TopicNow, b: TopicNow): number {
  const inFlight = (b.inFlight ?? 0) - (a.inFlight ?? 0)
  if (inFlight !== 0) return inFlight
  const head = (b.head ?? 0) - (a.head ?? 0)
  return head !== 0 ? head : a.topic < b.topic ? -1 : 1
}
