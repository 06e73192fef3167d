/**
 * Reads where topics are, for all feeds and watchers: one read at a time, and all who call during a read share the next
 * one. A few patterns are searched for in PostgreSQL, which returns little. Each search goes through all topics; so for
 * many patterns all topics are read once and handed out.
 */
import type { Head } from '@sekali/core/head'
import { limits } from '@sekali/core/limits'
import type { TopicPattern } from '@sekali/core/pattern'
import { createPatternTrie, type PatternTrie } from '@sekali/core/pattern-trie'
import type { Store } from '@sekali/store/connect'
import { eachHead } from '@sekali/store/heads'

/**
 * Where the topics of a pattern are, at this moment or later; at most one more than a pattern may mean. Rejects with
 * `StoreUnavailable`.
 */
export type ReadHeads = (pattern: TopicPattern) => Promise<readonly Head[]>

/** More patterns than that are not searched for one by one. */
const searchesMax = 8
const headsMax = limits.patternTopicsMax + 1

interface Wanted {
  readonly pattern: TopicPattern
  readonly heads: Head[]
  readonly done: PromiseWithResolvers<readonly Head[]>
}

export function createHeadReads(store: Store): ReadHeads {
  /** By the pattern's text. */
  let waiting = new Map<string, Wanted>()
  let isReading = false

  async function readWaiting(): Promise<void> {
    if (isReading) return
    isReading = true
    while (waiting.size > 0) {
      const batch = [...waiting.values()]
      waiting = new Map()
      try {
        await readBatch(store, batch)
        for (const { done, heads } of batch) done.resolve(heads)
      } catch (error) {
        for (const { done } of batch) done.reject(error)
      }
    }
    isReading = false
  }

  return (pattern) => {
    const wanted = waiting.get(pattern.text) ?? {
      pattern,
      heads: [],
      done: Promise.withResolvers<readonly Head[]>(),
    }
    waiting.set(pattern.text, wanted)
    queueMicrotask(readWaiting)
    return wanted.done.promise
  }
}

async function readBatch(store: Store, batch: readonly Wanted[]): Promise<void> {
  const byName = new Map<string, Wanted>()
  const patterns: Wanted[] = []
  for (const wanted of batch) {
    if (wanted.pattern.isPattern) patterns.push(wanted)
    else byName.set(wanted.pattern.text, wanted)
  }
  if (byName.size > 0) {
    await eachHead(store, byName.keys(), (head) => void byName.get(head.topic)?.heads.push(head))
  }
  if (patterns.length <= searchesMax) {
    for (const { pattern, heads } of patterns) {
      await eachHead(store, pattern.regExp, (head) => void heads.push(head), headsMax)
    }
    return
  }
  const trie = createPatternTrie<Wanted>()
  for (const wanted of patterns) trie.add(wanted.pattern.text, wanted)
  await eachHead(store, undefined, (head) => handOut(trie, head))
}

function handOut(trie: PatternTrie<Wanted>, head: Head): void {
  for (const wanted of trie.matching(head.topic)) {
    wanted.heads.push(head)
    if (wanted.heads.length === headsMax) trie.remove(wanted.pattern.text, wanted)
  }
}
