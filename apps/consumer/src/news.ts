import type { TopicName } from '@sekali/core/event'

/** The topics that may have entries nobody has accounted for, in the order in which that was heard. */
export interface News {
  readonly size: number
  add(topic: TopicName): void
  /** Takes up to `max` topics out. */
  take(max: number): TopicName[]
  /** Puts topics back at the front. */
  putBack(topics: readonly TopicName[]): void
  /** Resolves when there is news, or when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>
}

export function createNews(): News {
  let topics = new Set<TopicName>()
  let wake = () => {}
  return {
    get size() {
      return topics.size
    },
    add: (topic) => {
      topics.add(topic)
      wake()
    },
    take: (max) => {
      const taken = [...topics.values().take(max)]
      for (const topic of taken) topics.delete(topic)
      return taken
    },
    putBack: (first) => {
      topics = new Set([...first, ...topics])
    },
    wait: (signal) =>
      new Promise((resolve) => {
        if (topics.size > 0 || signal.aborted) return resolve()
        const done = () => {
          wake = () => {}
          signal.removeEventListener('abort', done)
          resolve()
        }
        wake = done
        signal.addEventListener('abort', done, { once: true })
      }),
  }
}
