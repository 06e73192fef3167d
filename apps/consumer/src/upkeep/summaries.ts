/**
 * Writes the summaries of spans that this consumer's turns have filled, later and one topic at a time. Searches are quicker
 * with summaries and right without them, so they must not cost a turn anything. See store/read/spans.ts.
 */
import type { TopicName } from '@sekali/core/event'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { spanEvents, summarizeSpans } from '@sekali/store/spans'

const everyMs = 3_000
/**
 * Spans that one statement summarizes, some 4,000 events, and the pause after it. A busy topic has hundreds of spans to
 * summarize, and turns must not wait for that.
 */
const spansMax = 4
const betweenMs = 20

export interface Summaries {
  /** Notes that a turn has read `entries` entries, duplicates among them, and that the topic's last seq is `head`. */
  add(topic: TopicName, entries: number, head: number): void
  /** Takes out the topics that may have spans without a summary. */
  take(): TopicName[]
}

export function createSummaries(): Summaries {
  const events = new Map<TopicName, number>()
  return {
    add: (topic, count, head) => {
      // No span is full. With a thousand small topics, asking about each was most of PostgreSQL's work.
      if (head < spanEvents - 1) return
      // A topic that is new here may have spans that other consumers have left.
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
