/**
 * The line of those who pull from one subscription through this process. One pull runs at a time, for whoever is first in
 * line; so one event that a thousand wait for is one pull, and one delivery.
 *
 * A pull that brings nothing says it of all who came before it began: those who do not wait are answered with it, and the
 * others stay. From then on the line is dry, and nobody asks PostgreSQL, until
 *
 * - a head of the subscription's topics moves, as consumers announce and polls confirm
 * - something is settled through this process
 * - the next retry or expired lease is due
 * - `checkMs` are over: something may have been settled elsewhere
 *
 * Newcomers ask PostgreSQL, unless it was asked within `freshMs`. What fails because PostgreSQL is away fails for all of
 * them, and they come again later. Whose time is up while a pull is under way for them gets what it brings. Whoever has
 * left is served no more; what was pulled for them is released.
 */
import { StoreUnavailable } from '@sekali/core/errors'
import type { NotPulled, PulledJson, PullRequest } from '@sekali/store/subscription-types'

/** What comes of a place in the line. `nothing`: there was nothing until the time was up. `left`: its signal was aborted. */
export type Served =
  | { readonly outcome: 'pulled'; readonly pulled: PulledJson }
  | { readonly outcome: 'nothing'; readonly blockedBy: PulledJson['blockedBy'] }
  | { readonly outcome: NotPulled | 'left' }

export interface Place {
  readonly request: PullRequest
  /** For how long to wait when there is nothing; 0 is not at all. */
  readonly waitMs: number
  /** Aborted when the client leaves, or may not wait on. */
  readonly signal: AbortSignal
  /** Does the work within the client's share of PostgreSQL. May reject with `Overloaded`. */
  readonly inShare: <T>(work: () => Promise<T>) => Promise<T>
}

export interface Line extends AsyncDisposable {
  /** Resolves with what comes of it. Rejects with `StoreUnavailable` or `Overloaded`. */
  join(place: Place): Promise<Served>
  /** There may be something now. */
  kick(): void
  /** Answers all who are in line, and all who come: this process is to leave. */
  end(): void
}

export interface LineDeps {
  readonly pull: (place: Place) => Promise<PulledJson | NotPulled>
  /** Gives back what nobody gets. */
  readonly release: (request: PullRequest, pulled: PulledJson) => void
  /** Called when nobody has been in line for a while. */
  readonly onIdle: () => void
}

export interface LineTimes {
  readonly checkMs?: number
  readonly freshMs?: number
  readonly lingerMs?: number
  /** Who does not wait is served for so long while pulls only pass over what a filter leaves out. */
  readonly scanMs?: number
}

interface Waiter extends Place {
  /** 1, 2, 3 … in order of arrival. */
  readonly number: number
  /** By `performance.now()`, its time is up. */
  readonly until: number
  /** At most once; later calls do nothing. */
  readonly serve: (served: Served) => void
  readonly fail: (error: unknown) => void
}

const nothing: Served = { outcome: 'nothing', blockedBy: [] }
/** What is due and cannot be handed out yet would be asked for again and again. */
const dueMsMin = 50

export function createLine(
  { pull, release, onIdle }: LineDeps,
  { checkMs = 3_000, freshMs = 1_000, lingerMs = 10_000, scanMs = 1_000 }: LineTimes = {},
): Line {
  const waiters = new Set<Waiter>()
  /** Those of them who do not wait. */
  const impatient = new Set<Waiter>()
  /** For whom a pull is under way. */
  let current: Waiter | undefined
  let last = 0
  let looking: Promise<void> | undefined
  let isAsked = false
  let isEnded = false
  /** When the last pull began that found nothing, if nothing is known to have come since. */
  let dryAt = -Infinity
  /** When the next retry or expired lease is due; undefined if that is not known. */
  let dueAt: number | undefined
  let blockedBy: PulledJson['blockedBy'] = []
  let timer: NodeJS.Timeout | undefined

  const isFresh = () => performance.now() - dryAt < freshMs

  function join(place: Place): Promise<Served> {
    const { promise, resolve, reject } = Promise.withResolvers<Served>()
    if (place.signal.aborted) return Promise.resolve({ outcome: 'left' })
    if (isEnded) return Promise.resolve(nothing)
    const timeUp = place.waitMs === 0 ? undefined : setTimeout(() => endWait(waiter), place.waitMs)
    const onAbort = () => waiter.serve({ outcome: 'left' })
    const leave = () => {
      clearTimeout(timeUp)
      place.signal.removeEventListener('abort', onAbort)
      waiters.delete(waiter)
      impatient.delete(waiter)
      if (waiters.size === 0 && looking === undefined) rest()
    }
    const waiter: Waiter = {
      ...place,
      number: ++last,
      until: performance.now() + (place.waitMs || scanMs),
      serve(served) {
        leave()
        resolve(served)
      },
      fail(error) {
        leave()
        reject(error)
      },
    }
    place.signal.addEventListener('abort', onAbort, { once: true })
    waiters.add(waiter)
    if (place.waitMs === 0) impatient.add(waiter)
    if (place.waitMs === 0 || !isFresh()) ask()
    return promise
  }

  const giveUp = (waiter: Waiter): void => waiter.serve({ outcome: 'nothing', blockedBy })

  function endWait(waiter: Waiter): void {
    if (waiter !== current) giveUp(waiter)
  }

  function ask(): void {
    isAsked = true
    looking ??= look().finally(() => {
      looking = undefined
      if (waiters.size === 0) rest()
      else if (isAsked) ask()
    })
  }

  async function look(): Promise<void> {
    clearTimeout(timer)
    while (isAsked) {
      const [first] = waiters
      if (first === undefined) return
      isAsked = false
      await pullFor(first)
    }
  }

  async function pullFor(first: Waiter): Promise<void> {
    const begunAt = performance.now()
    const newest = last
    current = first
    try {
      const pulled = await pull(first)
      if (typeof pulled === 'string') return serveAll({ outcome: pulled })
      if (pulled.items.length > 0) hand(first, pulled)
      noteDue(pulled)
      if (pulled.more) isAsked = true
      else becomeDry(begunAt, newest, pulled)
      if (waiters.has(first) && performance.now() >= first.until) giveUp(first)
    } catch (error) {
      if (error instanceof StoreUnavailable) failAll(error)
      else first.fail(error)
      isAsked = waiters.size > 0
    } finally {
      current = undefined
    }
  }

  function hand(first: Waiter, pulled: PulledJson): void {
    if (waiters.has(first)) first.serve({ outcome: 'pulled', pulled })
    else release(first.request, pulled)
  }

  /** A pull that brought something does not say what is due next: no sooner than before, or than what it brought. */
  function noteDue({ items, leaseSeconds, nextDueInMs }: PulledJson): void {
    const now = performance.now()
    if (items.length === 0) dueAt = now + (nextDueInMs ?? Infinity)
    else if (dueAt !== undefined) dueAt = Math.min(dueAt, now + leaseSeconds * 1_000)
  }

  function becomeDry(begunAt: number, newest: number, pulled: PulledJson): void {
    if (pulled.items.length === 0) blockedBy = pulled.blockedBy
    for (const waiter of impatient) if (waiter.number <= newest) giveUp(waiter)
    if (dueAt === undefined) isAsked = true
    if (isAsked || dueAt === undefined || waiters.size === 0) return
    dryAt = begunAt
    clearTimeout(timer)
    timer = setTimeout(kick, Math.min(checkMs, Math.max(dueMsMin, dueAt - performance.now())))
  }

  function serveAll(served: Served): void {
    for (const waiter of waiters) waiter.serve(served)
  }

  function failAll(error: unknown): void {
    for (const waiter of waiters) waiter.fail(error)
  }

  function kick(): void {
    dryAt = -Infinity
    if (waiters.size > 0) ask()
  }

  /** Nobody is in line, and nothing is looked after: whoever comes next asks PostgreSQL. */
  function rest(): void {
    dryAt = -Infinity
    dueAt = undefined
    clearTimeout(timer)
    timer = setTimeout(onIdle, lingerMs).unref()
  }

  function end(): void {
    isEnded = true
    serveAll(nothing)
  }

  return {
    join,
    kick,
    end,
    async [Symbol.asyncDispose]() {
      end()
      await looking
      clearTimeout(timer)
    },
  }
}
