/**
 * Polls PostgreSQL for the topics that are watched: by their names, or, if those are many or patterns, for all that has
 * changed since the last poll.
 */
import type { TopicName } from '@sekali/core/event'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { eachChangedHead, eachHead, type HeadsMark } from '@sekali/store/heads'
import type { ReadHeads } from './head-reads.ts'
import type { Reports } from './reports.ts'
import type { OnHead } from './watchers.ts'

export interface Polls {
  /** Watchers of patterns that have no answer yet. */
  readonly newPatterns: Map<OnHead, TopicPattern>
  /** Topics that are watched and have not been read yet. */
  readonly newTopics: Set<TopicName>
  /** Never rejects. */
  poll(): Promise<void>
}

export interface PollsDeps {
  readonly store: Store
  readonly read: ReadHeads
  readonly reports: Reports
  readonly log: Logger
}

/** More topics than that are not read by name. */
const namesMax = 256
/** Between two reads of all topics: an older log may have been restored, and its changes look old. */
const wholeMs = 10_000

/** `changesMs` is the least time between two reads of all changes. */
export function createPolls({ store, read, reports, log }: PollsDeps, changesMs: number): Polls {
  const { watchers, onRead } = reports
  const newPatterns = new Map<OnHead, TopicPattern>()
  const newTopics = new Set<TopicName>()
  /** The moment up to which changes were read; undefined if all topics are to be read. */
  let since: HeadsMark | undefined
  let changesAt = 0
  let wholeAt = 0

  async function readNewPattern(onHead: OnHead, pattern: TopicPattern): Promise<void> {
    for (const head of await read(pattern)) {
      onRead(head)
      onHead(head)
    }
    newPatterns.delete(onHead)
  }

  async function readByName(): Promise<void> {
    // Nobody keeps up to date any more what patterns have watched.
    if (since !== undefined) reports.forgetUnwatched()
    since = undefined
    newTopics.clear()
    await eachHead(store, watchers.topics.keys(), onRead)
  }

  async function readChanges(): Promise<void> {
    const now = performance.now()
    if (now - wholeAt > wholeMs) since = undefined
    // A newcomer that cannot wait does not cause a read of all changes.
    if (since === undefined || now - changesAt > changesMs) {
      if (since === undefined) {
        wholeAt = now
        newTopics.clear()
      }
      since = await eachChangedHead(store, since, onRead)
      changesAt = now
      await checkAnnouncements(store, reports)
    }
    // A topic that has not changed for long is not among the changes.
    const topics = [...newTopics]
    newTopics.clear()
    if (topics.length > 0) await eachHead(store, topics, onRead)
  }

  return {
    newPatterns,
    newTopics,
    async poll() {
      try {
        await Promise.all(newPatterns.entries().map((one) => readNewPattern(...one)))
        if (watchers.hasPatterns || watchers.topics.size > namesMax) await readChanges()
        else await readByName()
      } catch (error) {
        since = undefined
        reports.forgetUnwatched()
        log.debug({ err: error }, 'heads could not be read')
      }
    },
  }
}

/** An announced head that is not among the changes has not been committed, or not yet. */
async function checkAnnouncements(store: Store, { known, onRead }: Reports): Promise<void> {
  const topics = known.unconfirmed()
  if (topics.length === 0) return
  const missing = new Set(topics)
  await eachHead(store, topics, (head) => {
    missing.delete(head.topic)
    onRead(head)
  })
  for (const topic of missing) known.forget(topic)
}
