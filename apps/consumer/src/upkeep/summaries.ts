/**
 * Writes the summaries of spans that this consumer's turns have filled, some time later and one at a time: searches
 * are quicker with them and right without them, so they must not cost a turn anything. See store/read/spans.ts.
 */
import type { TopicName } from '@sekali/core/event'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { spanEvents, summarizeSpans } from '@sekali/store/spans'

const everyMs = 3_000
/**
 * Spans of one statement, some 4,000 events, and how long to leave PostgreSQL alone after it: a topic that many events
 * come to has hundreds of spans to be written, and turns must not wait for them.
 */
const spansMax = 4
const betweenMs = 20

export interface Summaries {
  /** Hears of what a turn has stored, and of the last seq. */
  add(topic: TopicName, events: number, head: number): void
  /** Takes out the topics that may have spans without a summary. */
  take(): TopicName[]
}

export function createSummaries(): Summaries {
  const events = new Map<TopicName, number>()
  return {
    add: (topic, count, head) => {
      // No span is full: with a thousand small topics, to ask PostgreSQL about each was most of its work.
      if (head < spanEvents - 1) return
      // Of a topic that is new here it is not known what others have left.
      events.set(topic, (events.get(topic) ?? spanEvents) + count)
    },
    take: () => {
      const due = [...events].filter(([, count]) => count >= spanEvents).map(([topic]) => topic)
      for (const topic of due) events.set(topic, 0)
      return due
    },
  }
}

/** Runs until `signal` is aborted. Never rejects. */
export async function runSummaries(
  { store, log }: { readonly store: Store; readonly log: Logger },
  summaries: Summaries,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs * (0.75 + Math.random() / 2), signal)
    for (const topic of summaries.take()) {
      try {
        while (!signal.aborted && (await summarizeSpans(store, topic, spansMax)) === spansMax) {
          await pause(betweenMs, signal)
        }
      } catch (err) {
        log.debug({ err }, 'spans not summarized')
        summaries.add(topic, spanEvents, spanEvents)
      }
    }
  }
}
