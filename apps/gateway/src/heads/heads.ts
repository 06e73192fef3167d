/**
 * Tells whoever waits in this process how far topics have come.
 *
 * Consumers announce it after every COMMIT, which is prompt and can get lost. So as long as anybody waits, PostgreSQL
 * is asked every `lookMs` as well, and nothing hangs on the announcements but promptness. It is asked for the topics
 * that are waited for, or, if those are many, or patterns, for all that has changed since it was last asked. Only what
 * has changed is told on, and only to those whom it concerns. When nobody has waited for a while, neither server is
 * asked or listened to.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Broker } from '@sekali/broker/connect'
import { listenToHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { eachChangedHead, eachHead, type HeadsMark } from '@sekali/store/heads'
import { createHeadReads, type ReadHeads } from './head-reads.ts'
import { createKnownHeads } from './known-heads.ts'
import { createWatchers, type OnHead } from './watchers.ts'

export interface Heads extends AsyncDisposable {
  /**
   * Calls `onHead` soon with where a topic is, or the topics of a pattern are, and then whenever one changes, until
   * disposed. It may be told the same twice, and an older state late. `onHead` must not throw.
   */
  watch(which: TopicName | TopicPattern, onHead: OnHead): Disposable
  /** Where topics are, without waiting for a change. */
  readonly read: ReadHeads
  /** Resolves with the topic's head once `isReached` says so, or with `undefined` when `signal` is aborted. */
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

export interface HeadsTimes {
  readonly lookMs?: number
  /** Between two looks, however many are new and want to know. */
  readonly lookAgainMs?: number
  /** For so long after the last one left it stays subscribed, because another may come. */
  readonly lingerMs?: number
}

/** More topics than that are not asked for by name. */
const namesMax = 256
/** Between two looks at all topics: an older log may have been restored, and its changes look old. */
const wholeMs = 10_000

export function createHeads({ broker, store, log }: HeadsDeps, times: HeadsTimes = {}): Heads {
  const { lookMs = 500, lookAgainMs = 10, lingerMs = 10_000 } = times
  const watchers = createWatchers()
  const read = createHeadReads(store)
  const known = createKnownHeads()
  /** Watchers of patterns that have not been told yet where the topics are, and topics that nobody has asked for yet. */
  const untold = new Map<OnHead, TopicPattern>()
  const unasked = new Set<TopicName>()
  /** The moment of the last look at what has changed, when that was, and when all was last looked at. */
  let since: HeadsMark | undefined
  let lookedAt = 0
  let wholeAt = 0
  let running: Promise<void> | undefined
  let closed = false
  let isAsked = false
  let wake = () => {}

  const hear = (head: Head) => tell(head, known.announce(head))
  const find = (head: Head) => tell(head, known.confirm(head))

  function tell(head: Head, isNews: boolean): void {
    if (!isNews) return
    const concerned = watchers.of(head.topic)
    if (concerned.length === 0) known.forget(head.topic) // whoever watches it later would be told what it was
    for (const onHead of concerned) onHead(head)
  }

  async function look(): Promise<void> {
    isAsked = false
    try {
      await tellUntold()
      if (watchers.hasPatterns || watchers.topics.size > namesMax) await lookAtChanges()
      else await lookByName()
    } catch (error) {
      since = undefined
      forgetUnwatched()
      log.debug({ err: error }, 'heads could not be read')
    }
  }

  async function lookByName(): Promise<void> {
    // What patterns have watched is not kept up to date any more.
    if (since !== undefined) forgetUnwatched()
    since = undefined
    unasked.clear()
    await eachHead(store, watchers.topics.keys(), find)
  }

  async function lookAtChanges(): Promise<void> {
    const now = performance.now()
    if (now - wholeAt > wholeMs) since = undefined
    // Those who are new and cannot wait do not make it look at all topics for them.
    if (since === undefined || now - lookedAt > lookMs - lookAgainMs) {
      if (since === undefined) {
        wholeAt = now
        unasked.clear()
      }
      since = await eachChangedHead(store, since, find)
      lookedAt = now
      await checkHints()
    }
    // What has not changed for long is not among them.
    const asked = [...unasked]
    unasked.clear()
    if (asked.length > 0) await eachHead(store, asked, find)
  }

  /** What was announced and is not among the changes has not happened, or not yet. */
  async function checkHints(): Promise<void> {
    const topics = known.unconfirmed()
    if (topics.length === 0) return
    const missing = new Set(topics)
    await eachHead(store, topics, (head) => {
      missing.delete(head.topic)
      find(head)
    })
    for (const topic of missing) known.forget(topic)
  }

  async function tellUntold(): Promise<void> {
    const tellOne = async ([onHead, pattern]: [OnHead, TopicPattern]) => {
      for (const head of await read(pattern)) {
        find(head)
        onHead(head)
      }
      untold.delete(onHead)
    }
    await Promise.all([...untold].map(tellOne))
  }

  function forgetUnwatched(): void {
    for (const topic of known.topics()) if (watchers.of(topic).length === 0) known.forget(topic)
  }

  async function run(): Promise<void> {
    await using _announcements = listenToHeads(broker, hear)
    let wantedAt = performance.now()
    while (!closed) {
      const now = performance.now()
      if (watchers.hasAny) {
        wantedAt = now
        await look()
        await pause(lookAgainMs)
      } else if (now - wantedAt > lingerMs) {
        return
      } else {
        isAsked = false // whoever has asked was told by an announcement, or has left
      }
      if (!isAsked) await wait(lookMs)
    }
  }

  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      if (closed) return resolve()
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  function start(): void {
    isAsked = true
    wake()
    running ??= run().finally(() => {
      running = undefined
      if (!closed && watchers.hasAny) start()
    })
  }

  function watch(which: TopicName | TopicPattern, onHead: OnHead): Disposable {
    let active = true
    // A function of its own, so that two watches with the same one are two.
    const onHeadWhileActive: OnHead = (head) => {
      if (active) onHead(head)
    }
    watchers.add(which, onHeadWhileActive)
    const isKnown = typeof which === 'string' && tellKnown(which, onHeadWhileActive)
    if (typeof which !== 'string') untold.set(onHeadWhileActive, which)
    if (!isKnown || running === undefined) start()
    return {
      [Symbol.dispose]() {
        active = false
        watchers.remove(which, onHeadWhileActive)
        untold.delete(onHeadWhileActive)
        if (typeof which === 'string' && watchers.of(which).length === 0) known.forget(which)
      },
    }
  }

  function tellKnown(topic: TopicName, onHead: OnHead): boolean {
    const head = known.get(topic)
    if (head === undefined) unasked.add(topic)
    else queueMicrotask(() => onHead(head)) // not before the caller has the watch in its hands
    return head !== undefined
  }

  return {
    watch,
    read,
    async waitFor(topic, isReached, signal) {
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
    },
    async [Symbol.asyncDispose]() {
      closed = true
      wake()
      await running
    },
  }
}
