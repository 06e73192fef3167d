/** The lines of all subscriptions that somebody pulls from through this process. */
import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { pullJson } from '@sekali/store/pull'
import type { PulledJson, PullRequest } from '@sekali/store/subscription-types'
import type { Heads } from '../heads/heads.ts'
import type { KnownSubscription } from './known.ts'
import { createLine, type Line, type LineTimes, type Place, type Served } from './line.ts'
import type { Settles } from './settles.ts'
import type { Turns } from './turns.ts'

export interface Pulls extends AsyncDisposable {
  /** Resolves with what comes of a place in the line. Rejects with `StoreUnavailable` or `Overloaded`. */
  join(subscription: KnownSubscription, place: Place): Promise<Served>
  /** Gives back what nobody got. Never rejects: it may be left to its lease. */
  release(name: string, pulled: PulledJson): void
  /** Something of it was settled or changed through this process. */
  onChanged(name: string): void
}

export interface PullsDeps {
  readonly heads: Heads
  readonly store: Store
  readonly settles: Settles
  readonly turns: Turns
  readonly log: Logger
  /** Aborted once this process is to leave: then those who wait are answered, and go on elsewhere. */
  readonly signal: AbortSignal
}

/** Nothing is known by it. */
const nothingPulled: PulledJson = {
  ...{ grant: null, items: [], more: true, blockedBy: [] },
  ...{ leaseSeconds: 0, leaseUntil: null, nextDueAt: null, nextDueInMs: null },
}

interface Used {
  /** The subscription's own: one that was deleted and made anew is another. */
  readonly id: number
  readonly line: Line
  readonly close: () => Promise<void>
}

export function createPulls(
  { heads, store, settles, turns, log, signal }: PullsDeps,
  times: LineTimes = {},
): Pulls {
  const lines = new Map<string, Used>()
  /** What is still to be done before the connections are closed. */
  const pending = new Set<Promise<unknown>>()

  function keep(work: Promise<unknown>): void {
    const kept = work.finally(() => pending.delete(kept))
    pending.add(kept)
  }

  function lineOf({ id, name, topics }: KnownSubscription): Line {
    const used = lines.get(name)
    if (used?.id === id) return used.line
    if (used !== undefined) close(name, used)
    const line = createLine(
      {
        // Whoever waits for the turn holds nothing meanwhile; and for whoever has left by then nothing is pulled.
        pull: ({ request, inShare, signal: left }) =>
          turns.take(name, async () =>
            left.aborted ? nothingPulled : await inShare(() => pullJson(store, request)),
          ),
        release: (request, pulled) => release(request.name, pulled),
        onIdle: () => close(name, opened),
      },
      times,
    )
    const watch = heads.watch(
      topics.isPattern ? topics : (topics.text as string as TopicName),
      line.kick,
      'changes',
    )
    const opened: Used = {
      id,
      line,
      async close() {
        watch[Symbol.dispose]()
        await line[Symbol.asyncDispose]()
      },
    }
    lines.set(name, opened)
    return line
  }

  function close(name: string, used: Used): void {
    if (lines.get(name) === used) lines.delete(name)
    keep(used.close())
  }

  function release(name: string, { grant }: Pick<PullRequest & PulledJson, 'grant'>): void {
    if (grant === null) return
    const items = [{ token: grant, do: 'release' } as const]
    const released = settles
      .settle(name, items)
      .then(() => onChanged(name))
      .catch((err: unknown) =>
        log.debug({ err, subscription: name }, 'a pull that nobody got was not released'),
      )
    keep(released)
  }

  const onChanged = (name: string): void => lines.get(name)?.line.kick()

  function endAll(): void {
    for (const { line } of lines.values()) line.end()
  }
  signal.addEventListener('abort', endAll, { once: true })

  return {
    async join(subscription, place) {
      const line = lineOf(subscription)
      if (signal.aborted) line.end()
      return await line.join(place)
    },
    release,
    onChanged,
    async [Symbol.asyncDispose]() {
      for (const [name, used] of lines) close(name, used)
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}
