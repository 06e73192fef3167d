/**
 * Reads where topics are, for all feeds and watchers: one read of names and one of patterns at a time, and all who call
 * during a read share the next one. A few patterns are searched for in PostgreSQL, which returns little. Each search goes
 * through all topics; so for many patterns all topics are read once and handed out. A rest follows a read of patterns: a
 * crowd that comes one by one would otherwise have all topics read all the time.
 */
import { setImmediate as nextRound, setTimeout as pause } from 'node:timers/promises'
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
/** How long the rest is, in times of the read before it, and at most. */
const restReads = 2
const restMsMax = 250
/** Reads that are answered before the event loop serves others: of each a tail may begin. */
const answeredAtOnceMax = 2

interface Wanted {
  readonly pattern: TopicPattern
  readonly heads: Head[]
  readonly done: PromiseWithResolvers<readonly Head[]>
}

export function createHeadReads(store: Store): ReadHeads {
  const ofNames = createLane((batch) => readNames(store, batch))
  const ofPatterns = createLane((batch) => readPatterns(store, batch), restReads)
  return (pattern) => (pattern.isPattern ? ofPatterns : ofNames)(pattern)
}

/** Reads one batch at a time. A rest follows each, of so many times what it took. */
function createLane(read: (batch: readonly Wanted[]) => Promise<void>, rests = 0): ReadHeads {
  /** By the pattern's text. */
  let waiting = new Map<string, Wanted>()
  let isReading = false

  async function readWaiting(): Promise<void> {
    if (isReading) return
    isReading = true
    while (waiting.size > 0) {
      const batch = [...waiting.values()]
      waiting = new Map()
      const startedAt = performance.now()
      try {
        await read(batch)
        for (const [index, { done, heads }] of batch.entries()) {
          if (index % answeredAtOnceMax === answeredAtOnceMax - 1) await nextRound()
          done.resolve(heads)
        }
      } catch (error) {
        for (const { done } of batch) done.reject(error)
      }
      if (rests > 0) await pause(Math.min(rests * (performance.now() - startedAt), restMsMax))
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

async function readNames(store: Store, batch: readonly Wanted[]): Promise<void> {
  const byName = new Map(batch.map((wanted) => [wanted.pattern.text as string, wanted]))
  await eachHead(store, byName.keys(), (head) => void byName.get(head.topic)?.heads.push(head))
}

async function readPatterns(store: Store, patterns: readonly Wanted[]): Promise<void> {
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
