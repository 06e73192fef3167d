/**
 * Tells whoever waits in this process how far topics have come.
 *
 * Consumers announce it after every COMMIT, which is prompt and can get lost. So as long as anybody waits, one query
 * for all the topics they wait for is made every `lookMs` as well, and nothing hangs on the announcements but
 * promptness. When nobody has waited for a while, neither server is asked or listened to.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Broker } from '@sekali/broker/connect'
import { listenToHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readHeads } from '@sekali/store/heads'

export interface Heads extends AsyncDisposable {
  /**
   * Calls `onHead` soon with where a topic is, and then whenever it changes, until disposed. With a predicate it does
   * so for all topics that it picks. It may be told the same twice, and an older state late. `onHead` must not throw.
   */
  watch(which: TopicName | ((topic: TopicName) => boolean), onHead: (head: Head) => void): Disposable
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

type OnHead = (head: Head) => void

export function createHeads({ broker, store, log }: HeadsDeps, times: HeadsTimes = {}): Heads {
  const { lookMs = 500, lookAgainMs = 10, lingerMs = 10_000 } = times
  const byTopic = new Map<TopicName, Set<OnHead>>()
  const bySight = new Map<OnHead, (topic: TopicName) => boolean>()
  const known = new Map<TopicName, Head>()
  let running: Promise<void> | undefined
  let closed = false
  let isAsked = false
  let wake = () => {}

  function hear(head: Head): void {
    const before = known.get(head.topic)
    if (before?.head === head.head && before.position === head.position) return
    const watchers = [...(byTopic.get(head.topic) ?? [])]
    for (const [onHead, picks] of bySight) if (picks(head.topic)) watchers.push(onHead)
    if (watchers.length === 0) {
      known.delete(head.topic) // whoever watches it later would be told what it was
      return
    }
    known.set(head.topic, head)
    for (const onHead of watchers) onHead(head)
  }

  function add(which: TopicName | ((topic: TopicName) => boolean), onHead: OnHead): void {
    if (typeof which === 'string') {
      const watchers = byTopic.get(which)
      if (watchers) watchers.add(onHead)
      else byTopic.set(which, new Set([onHead]))
    } else {
      bySight.set(onHead, which)
    }
  }

  function remove(which: TopicName | ((topic: TopicName) => boolean), onHead: OnHead): void {
    if (typeof which === 'string') {
      const watchers = byTopic.get(which)
      watchers?.delete(onHead)
      if (watchers?.size === 0) byTopic.delete(which)
    } else {
      bySight.delete(onHead)
    }
    if (bySight.size > 0) return
    if (typeof which !== 'string') known.clear()
    else if (!byTopic.has(which)) known.delete(which)
  }

  async function look(): Promise<void> {
    isAsked = false
    try {
      for (const head of await readHeads(store, bySight.size > 0 ? undefined : byTopic.keys())) hear(head)
    } catch (error) {
      log.debug({ err: error }, 'heads could not be read')
    }
  }

  async function run(): Promise<void> {
    await using _announcements = listenToHeads(broker, hear)
    let wantedAt = performance.now()
    while (!closed) {
      const now = performance.now()
      if (byTopic.size + bySight.size > 0) {
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
      if (!closed && byTopic.size + bySight.size > 0) start()
    })
  }

  function watch(which: TopicName | ((topic: TopicName) => boolean), onHead: OnHead): Disposable {
    let active = true
    // A function of its own, so that two watches with the same one are two.
    const tell: OnHead = (head) => {
      if (active) onHead(head)
    }
    add(which, tell)
    const heads = typeof which === 'string' ? [known.get(which)] : known.values()
    for (const head of heads) {
      // Not before the caller has the watch in its hands.
      if (head && (typeof which === 'string' || which(head.topic))) queueMicrotask(() => tell(head))
    }
    if (typeof which !== 'string' || !known.has(which) || running === undefined) start()
    return {
      [Symbol.dispose]() {
        active = false
        remove(which, tell)
      },
    }
  }

  return {
    watch,
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
