import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'

/**
 * What is known of the heads that anybody watches. An announcement is a hint: it may come before the COMMIT, and the COMMIT
 * may fail. So a head is news when it is announced, and once more when PostgreSQL confirms it.
 */
export interface KnownHeads {
  get(topic: TopicName): Head | undefined
  topics(): Iterable<TopicName>
  /** Notes what a consumer has announced. Returns whether it is news. */
  announce(head: Head): boolean
  /** Notes what PostgreSQL has. Returns whether it is news. */
  confirm(head: Head): boolean
  forget(topic: TopicName): void
  /** Topics that were announced before the last call of this, and that no read has confirmed since. */
  unconfirmed(): TopicName[]
}

export function createKnownHeads(): KnownHeads {
  const heads = new Map<TopicName, Head>()
  /** The round in which a topic was announced. */
  const hinted = new Map<TopicName, number>()
  let round = 0

  function note(head: Head): boolean {
    const before = heads.get(head.topic)
    const isSame =
      before?.head === head.head && before.position === head.position && before.epoch === head.epoch
    if (isSame) return false
    heads.set(head.topic, head)
    return true
  }

  return {
    get: (topic) => heads.get(topic),
    topics: () => heads.keys(),
    announce(head) {
      const isNews = note(head)
      if (isNews) hinted.set(head.topic, round)
      return isNews
    },
    confirm(head) {
      const wasHint = hinted.delete(head.topic)
      return note(head) || wasHint
    },
    forget(topic) {
      heads.delete(topic)
      hinted.delete(topic)
    },
    unconfirmed() {
      const topics = hinted
        .entries()
        .filter(([, announced]) => announced < round)
        .map(([topic]) => topic)
        .toArray()
      round += 1
      return topics
    },
  }
}
