// What is published, decided by the seed alone.
//
// Event number n is a pure function of (seed, n): its id, topic, source, time and payload. A repeat is the event
// made again, with the same bytes, so nothing has to be remembered: a million events need as much memory as ten.
// It also means that a longer run of a seed has all events of a shorter one.
//
// Which sendings are repeats is drawn without replacement, so their number is exact and not an average.

import type { AnyPayload, EventToPublish } from '@sekali/client/answers'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { payloadFor } from './payloads.ts'

export interface Workload {
  /** Part of every event id, so it must be unique among runs unless a replay is what is wanted. */
  readonly seed: string
  readonly events: number
  /** How many of the events repeat another one; less than `events`. */
  readonly repeats: number
  readonly topics: readonly string[]
}

export interface Sending {
  readonly event: EventToPublish<AnyPayload>
  readonly isRepeat: boolean
}

const sources = 20
// A quarter of the repeats follow their original so closely that both are on the wire at once.
const nearbyEvents = 16

export function* sendings({ seed, events, repeats, topics }: Workload): Generator<Sending, void> {
  const random = xoroshiro128plus(scramble(hash(seed)))
  let originals = 0
  for (let sent = 0; sent < events; sent++) {
    const originalsLeft = events - repeats - originals
    // The first has nothing to repeat.
    const isRepeat = sent > 0 && uniformInt(random, 1, events - sent) > originalsLeft
    const number = isRepeat ? earlier(random, originals) : originals++
    yield { event: eventAt(number, seed, topics), isRepeat }
  }
}

function earlier(random: RandomGenerator, originals: number): number {
  const reach = uniformInt(random, 0, 3) === 0 ? Math.min(nearbyEvents, originals) : originals
  return originals - uniformInt(random, 1, reach)
}

/** Event number `n` (0, 1, 2 …) of a seed. */
function eventAt(n: number, seed: string, topics: readonly string[]): EventToPublish<AnyPayload> {
  const dice = scramble(hash(seed) ^ scramble(n + 1))
  const topic = topics[dice % topics.length] as string
  const source = 1 + (n % sources)
  // The number lets a reader see a source's own order. With several requests at a time the network may change
  // it before it reaches the gateway, so gaps and inversions here are not the system's.
  const sourceSeq = 1 + Math.floor(n / sources)
  return {
    topic,
    event_id: `${seed}-${String(n).padStart(7, '0')}`,
    timestamp: timestampAt(n, seed),
    source: `node-${String(source).padStart(2, '0')}`,
    payload: payloadFor(topic, sourceSeq, xoroshiro128plus(dice)),
  }
}

const newYear2025Ms = Date.UTC(2025, 0, 1)
const yearSeconds = 365 * 24 * 3_600
const stepMicros = 1_237

// Not the clock's: a repeat, and a second run of the seed, must carry the same bytes. To the microsecond, as
// Python prints it.
function timestampAt(n: number, seed: string): string {
  const micros = n * stepMicros
  const ms = newYear2025Ms + (hash(seed) % yearSeconds) * 1_000 + Math.floor(micros / 1_000)
  return `${new Date(ms).toISOString().slice(0, 23)}${String(micros % 1_000).padStart(3, '0')}+00:00`
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** The finalizer of MurmurHash3: neighbouring numbers in, unrelated ones out. */
function scramble(x: number): number {
  let h = x ^ (x >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
