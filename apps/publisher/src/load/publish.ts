import type { Client } from '@sekali/client/client'
import type { Sending } from './workload.ts'

/** What has been sent and accepted so far. */
export interface Sent {
  total: number
  /** Requests that had to be made again; each may have left one more entry behind. */
  retries: number
  readonly byTopic: Map<string, { sent: number; unique: number }>
}

export function nothingSent(topics: readonly string[]): Sent {
  return { total: 0, retries: 0, byTopic: new Map(topics.map((topic) => [topic, { sent: 0, unique: 0 }])) }
}

export interface PublishOptions {
  /** Requests at a time. */
  readonly concurrency: number
  readonly sent: Sent
  readonly signal: AbortSignal
  readonly onSent?: (total: number) => void
}

/**
 * Publishes everything, `concurrency` requests at a time, and counts in `sent`. It ends at the first event
 * that cannot be published, with its error, or with the reason of `signal`.
 */
export async function publishAll(
  client: Client,
  work: Iterator<Sending, void>,
  { concurrency, sent, signal, onSent }: PublishOptions,
): Promise<void> {
  const failed = new AbortController()
  const options = {
    signal: AbortSignal.any([signal, failed.signal]),
    onRetry: () => {
      sent.retries++
    },
  }
  // The workers share one iterator: each takes the next sending as soon as its last one is answered.
  async function runWorker(): Promise<void> {
    for (let next = work.next(); !next.done; next = work.next()) {
      const { event, isRepeat } = next.value
      await client.publish(event, options)
      const topic = sent.byTopic.get(event.topic)
      if (topic === undefined)
        throw new Error(`the workload has a topic that nobody asked for: ${event.topic}`)
      topic.sent++
      if (!isRepeat) topic.unique++
      sent.total++
      onSent?.(sent.total)
    }
  }
  const workers = Array.from({ length: concurrency }, runWorker)
  try {
    await Promise.all(workers)
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(workers)
    throw error
  }
}
