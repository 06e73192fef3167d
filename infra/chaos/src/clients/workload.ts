/**
 * A load whose outcome can be checked. Every source is one client that sends one request after the other: it
 * waits for the answer, repeats the same request until that is a yes (or gives it up), and only then goes on.
 * So the order in which a source's numbers must stand in a topic is known.
 *
 * Of the events 30 % are true duplicates (half of them sent twice at once), 1 % bring another payload under a
 * known id, and one body in a thousand must be refused. Only ids that were acknowledged are repeated, because
 * of one that was given up nobody can say which of its contents came first. Some sources send nothing without
 * waiting for a receipt, so that everything that came of their events is known. Others send the same mixture
 * in arrays: new events beside known ones and conflicts, some of them twice in the array, and some arrays
 * twice at once.
 */

import { pause } from '../clock.ts'
import { createRandom, type Random } from '../random.ts'
import type { OpenBooks } from './books.ts'
import { bodyOf, type Fact, poisonBody } from './content.ts'
import type { Door } from './door.ts'
import { createSender, type Item } from './sender.ts'

export interface WorkloadOptions {
  readonly seed: number
  readonly sources: number
  /** The first of them is hot: it gets half of the events. */
  readonly topics: readonly string[]
  /** Events a second, all sources together. */
  readonly rate: number
  /** After so long an event that nobody acknowledges is given up. */
  readonly patienceMs: number
}

export interface Workload {
  /** Multiplies the rate; 1 is normal. */
  accelerate(factor: number): void
  /** Nothing new is sent while `work` is done. */
  rest<T>(work: () => Promise<T>): Promise<T>
  /** Sends an event of somebody else's, like one of the workload's own. */
  send(fact: Fact): Promise<boolean>
  /** No new events; resolves once every event in hand is acknowledged or given up. */
  stop(): Promise<void>
}

const duplicateShare = 0.3
const conflictShare = 0.01
const poisonShare = 0.001
/** One source in four waits with each event for its receipt. */
const waitingEvery = 4
/** One source in four, none of those that wait, sends arrays of up to 60 events. */
const arraysEvery = 4
const arrayMax = 60
/** Acknowledged events of a source that may be sent again. */
const memoryEvents = 500

export function startWorkload(options: WorkloadOptions, door: Door, books: OpenBooks): Workload {
  const { seed, sources, rate } = options
  const stopping = new AbortController()
  const { send, sendPoison } = createSender(door, books, options.patienceMs)
  let factor = 1
  let rest: Promise<unknown> = Promise.resolve()
  const senders = Array.from({ length: sources }, async (_, index) => {
    const source = `s${String(index + 1).padStart(2, '0')}`
    const waits = index % waitingEvery === 0
    const sendsArrays = index % arraysEvery === 1
    const random = createRandom(seed, source)
    const steps = createSteps(options, source, random)
    let dueAt = performance.now() + random.int(0, Math.ceil((1_000 * sources) / rate))
    while (!stopping.signal.aborted) {
      await pause(dueAt - performance.now(), stopping.signal)
      await rest
      if (stopping.signal.aborted) break
      // Late is late: to catch up would make every recovery a burst.
      const count = sendsArrays ? random.int(2, arrayMax) : 1
      dueAt = Math.max(dueAt, performance.now() - 100) + (1_000 * sources * count) / (rate * factor)
      const drawn = Array.from({ length: count }, steps.next)
      for (const step of drawn) if (step.kind === 'poison') await sendPoison(step.body)
      const events = drawn.filter((step) => step.kind === 'event')
      if (events.length > 0) await carryOut(events, steps, { sendsArrays, waits })
    }
  })

  async function carryOut(
    events: readonly EventStep[],
    steps: Steps,
    { sendsArrays, waits }: { sendsArrays: boolean; waits: boolean },
  ): Promise<void> {
    const items = sendsArrays ? [...events, ...events.filter(({ twice }) => twice)] : events
    const bodies = items.map(({ fact, variant }) => bodyOf(fact, variant)).join(',')
    const body = sendsArrays ? `[${bodies}]` : bodies
    const times = events[0]?.twice ? 2 : 1
    const sent = await Promise.all(Array.from({ length: times }, () => send(items, body, waits)))
    if (!sent.every(Boolean)) return
    for (const { fact, variant } of events) if (variant === 0) steps.learn(fact)
  }

  return {
    accelerate: (by) => {
      factor = by
    },
    rest: async (work) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      rest = promise
      return await work().finally(resolve)
    },
    send: (fact) => send([{ fact, variant: 0 }], bodyOf(fact, 0), false),
    stop: async () => {
      stopping.abort()
      await Promise.all(senders)
    },
  }
}

interface EventStep extends Item {
  readonly kind: 'event'
  readonly twice: boolean
}

type Step = EventStep | { readonly kind: 'poison'; readonly body: string }

interface Steps {
  next(): Step
  /** This event is acknowledged. */
  learn(fact: Fact): void
}

/** What a source sends, one step after the other; decided by `random` and by what was acknowledged. */
export function createSteps(
  { topics }: Pick<WorkloadOptions, 'topics'>,
  source: string,
  random: Random,
): Steps {
  const counts = new Map<string, number>()
  const known: Fact[] = []
  let poisoned = 0
  let conflicts = 0
  const [hot = '', ...others] = topics

  function fresh(): Fact {
    const topic = others.length === 0 || random.chance(0.5) ? hot : random.pick(others)
    const n = (counts.get(topic) ?? 0) + 1
    counts.set(topic, n)
    return { topic, source, n }
  }

  return {
    next() {
      if (random.chance(poisonShare)) {
        poisoned++
        return { kind: 'poison', body: poisonBody(hot, poisoned) }
      }
      if (known.length > 0 && random.chance(conflictShare)) {
        conflicts++
        return { kind: 'event', fact: random.pick(known), variant: conflicts, twice: false }
      }
      // Half of the duplicates repeat an old event, the others are one event sent twice at the same time.
      if (known.length > 0 && random.chance(duplicateShare / 2)) {
        return { kind: 'event', fact: random.pick(known), variant: 0, twice: false }
      }
      return { kind: 'event', fact: fresh(), variant: 0, twice: random.chance(duplicateShare / 2) }
    },
    learn(fact) {
      if (known.length >= memoryEvents) known[random.int(0, known.length - 1)] = fact
      else known.push(fact)
    },
  }
}
