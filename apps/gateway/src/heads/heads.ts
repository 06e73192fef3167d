/**
 * Reports to everybody who waits in this process how far topics have come.
 *
 * Consumers announce it after every COMMIT. An announcement is prompt and can get lost. So as long as anybody waits,
 * PostgreSQL is read every `pollMs` as well, and only promptness hangs on the announcements. What is read are the topics
 * that are waited for, or, if those are many or patterns, all changes since the last poll. Only changes are reported,
 * and only to those whom they concern. When nobody has waited for a while, neither server
 * is read or listened to.
 *
 * reports.ts decides who gets what, polls.ts what is read, poll-loop.ts when.
 */
import type { Broker } from '@sekali/broker/connect'
import { listenToHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { createHeadReads, type ReadHeads } from './head-reads.ts'
import { createKnownHeads } from './known-heads.ts'
import { createPollLoop, type PollTimes } from './poll-loop.ts'
import { createPolls } from './polls.ts'
import { createReports } from './reports.ts'
import { createWatchers, type OnHead } from './watchers.ts'

export interface Heads extends AsyncDisposable {
  /**
   * Calls `onHead` soon with where a topic is, or the topics of a pattern are, and then whenever one changes, until
   * disposed. It may get the same state twice, and an older one late. `onHead` must not throw. Whoever reads by itself
   * once it watches wants changes alone.
   */
  watch(which: TopicName | TopicPattern, onHead: OnHead, wants?: 'all' | 'changes'): Disposable
  /** Where topics are, without waiting for a change. */
  readonly read: ReadHeads
  /** Resolves with the topic's head once `isReached` is true of it, or with `undefined` when `signal` is aborted. */
  waitFor(
    topic: TopicName,
    isReached: (head: Head) => boolean,
    signal: AbortSignal,
  ): Promise<Head | undefined>
}

export interface HeadsDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
}

export type HeadsTimes = Partial<PollTimes>

export function createHeads({ broker, store, log }: HeadsDeps, times: HeadsTimes = {}): Heads {
  const { pollMs = 500, pollAgainMs = 10, lingerMs = 10_000 } = times
  const watchers = createWatchers()
  const known = createKnownHeads()
  const read = createHeadReads(store)
  const reports = createReports(known, watchers)
  const polls = createPolls({ store, read, reports, log }, pollMs - pollAgainMs)
  const loop = createPollLoop(
    {
      isWanted: () => watchers.hasAny,
      poll: polls.poll,
      listen: () => listenToHeads(broker, reports.onAnnounced),
    },
    { pollMs, pollAgainMs, lingerMs },
  )

  function watch(which: TopicName | TopicPattern, onHead: OnHead, wants = 'all'): Disposable {
    let active = true
    // A function of its own, so that two watches with the same one are two.
    const onHeadWhileActive: OnHead = (head) => {
      if (active) onHead(head)
    }
    watchers.add(which, onHeadWhileActive)
    const isToldEnough = wants === 'changes' || reportKnown(which, onHeadWhileActive)
    if (!isToldEnough || !loop.isRunning) loop.start()
    return {
      [Symbol.dispose]() {
        active = false
        watchers.remove(which, onHeadWhileActive)
        polls.newPatterns.delete(onHeadWhileActive)
        if (typeof which === 'string' && watchers.of(which).length === 0) known.forget(which)
      },
    }
  }

  /** Reports what is known of a topic. Otherwise the next poll reads where it is, or its topics, and it returns false. */
  function reportKnown(which: TopicName | TopicPattern, onHead: OnHead): boolean {
    if (typeof which !== 'string') {
      polls.newPatterns.set(onHead, which)
      return false
    }
    const head = known.get(which)
    if (head === undefined) polls.newTopics.add(which)
    else queueMicrotask(() => onHead(head)) // not before the caller has the watch in its hands
    return head !== undefined
  }

  return {
    watch,
    read,
    waitFor: (topic, isReached, signal) => waitFor(watch, topic, isReached, signal),
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  }
}

async function waitFor(
  watch: Heads['watch'],
  topic: TopicName,
  isReached: (head: Head) => boolean,
  signal: AbortSignal,
): Promise<Head | undefined> {
  if (signal.aborted) return undefined
  const reached = Promise.withResolvers<Head | undefined>()
  const onAbort = () => reached.resolve(undefined)
  signal.addEventListener('abort', onAbort, { once: true })
  using _watch = watch(topic, (head) => {
    if (isReached(head)) reached.resolve(head)
  })
  try {
    return await reached.promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
