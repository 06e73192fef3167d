import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { TopicPattern } from '@sekali/core/pattern'
import { createPatternTrie } from '@sekali/core/pattern-trie'

export type OnHead = (head: Head) => void

/** The callbacks of everybody who watches, by topic and by pattern. */
export interface Watchers {
  /** Topics that are watched by their names. */
  readonly topics: ReadonlyMap<TopicName, ReadonlySet<OnHead>>
  readonly hasPatterns: boolean
  readonly hasAny: boolean
  add(which: TopicName | TopicPattern, onHead: OnHead): void
  remove(which: TopicName | TopicPattern, onHead: OnHead): void
  /** The callbacks that a topic concerns. */
  of(topic: TopicName): OnHead[]
}

export function createWatchers(): Watchers {
  const topics = new Map<TopicName, Set<OnHead>>()
  const patterns = createPatternTrie<OnHead>()
  return {
    topics,
    get hasPatterns() {
      return patterns.size > 0
    },
    get hasAny() {
      return topics.size + patterns.size > 0
    },
    add(which, onHead) {
      if (typeof which !== 'string') return patterns.add(which.text, onHead)
      const watchers = topics.get(which)
      if (watchers) watchers.add(onHead)
      else topics.set(which, new Set([onHead]))
    },
    remove(which, onHead) {
      if (typeof which !== 'string') return patterns.remove(which.text, onHead)
      const watchers = topics.get(which)
      watchers?.delete(onHead)
      if (watchers?.size === 0) topics.delete(which)
    },
    of(topic) {
      const found = patterns.size > 0 ? patterns.matching(topic) : []
      for (const onHead of topics.get(topic) ?? []) found.push(onHead)
      return found
    },
  }
}
