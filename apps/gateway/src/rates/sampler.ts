/**
 * Samples the figures of the system, so that a page can show how they went before it was opened: nothing else keeps them. In
 * each interval a reading is taken, the one that `/stats` answers with, and what it has more than the one before is what
 * came in that interval.
 *
 * Where a reading takes long, as with tens of thousands of topics, intervals are left out, five at most, so that readings of
 * up to 600 ms take a hundredth of the time; between two of them the rate is the mean. What a server did not tell is null,
 * and so is what comes next to it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { outcomesOf } from '@sekali/core/figures'
import type { Figures, TopicFigures } from '../operate/figures.ts'
import type { Readings } from '../operate/readings.ts'
import { createGrid, type Grid } from './grid.ts'

export interface Sampler extends AsyncDisposable {
  /** Samples from now on. */
  start(): void
  readonly ofAll: Sampled
  readonly ofTopics: SampledTopics
}

type ReadGrid = Omit<Grid, 'advance' | 'set' | 'keep'>

export interface Intervals {
  readonly intervalMs: number
  /** When the first interval that is kept began, in milliseconds since 1970; undefined while none is over. */
  startedAt(): number | undefined
  /** What the newest value is the mean of: more than an interval where some were left out; undefined while there is none. */
  newestMs(): number | undefined
}

export interface Sampled extends Intervals {
  /** Its names are those of figures. */
  readonly grid: ReadGrid
}

/** Of each figure a grid, whose names are those of topics. */
export type SampledTopics = Intervals & Readonly<Record<TopicFigure, ReadGrid>>

export interface SamplerOptions {
  readonly intervalMs?: number
  /** Intervals of a topic are so many times longer. */
  readonly perTopicInterval?: number
}

const intervalsMax = 360
const topicIntervalsMax = 60
const topicsMax = 5_000
/** The part of the time that readings may take, unless `leftOutMax` lets no more be left out. */
const shareMax = 0.01
/** Left out at most. */
const leftOutMax = 5

const names = ['accepted', ...Object.keys(outcomesOf(() => 0)), 'inFlight'] as (keyof Figures)[]
/** What is kept of each topic. */
const topicFigures = ['accepted', 'stored'] as const
type TopicFigure = (typeof topicFigures)[number]

interface Taken {
  readonly interval: number
  readonly atMs: number
}

export function createSampler(
  { readings }: { readonly readings: Pick<Readings, 'read'> },
  { intervalMs = 10_000, perTopicInterval = 6 }: SamplerOptions = {},
): Sampler {
  const all = createGrid(intervalsMax, names.length)
  const topics: Record<TopicFigure, Grid> = {
    accepted: createGrid(topicIntervalsMax, topicsMax),
    stored: createGrid(topicIntervalsMax, topicsMax),
  }
  const topicIntervalMs = intervalMs * perTopicInterval
  const closing = new AbortController()
  let beganMs = 0
  let before: (Taken & { readonly totals: Figures }) | undefined
  let topicsBefore: (Taken & { readonly counts: ReadonlyMap<string, TopicFigures> }) | undefined
  const newestMs: { all?: number; topics?: number } = {}
  let running: Promise<void> | undefined

  /** Takes a reading, with which all intervals before this one are over. */
  async function sample(interval: number): Promise<void> {
    const reading = await readings.read()
    const atMs = performance.now()
    addTotals({ interval, atMs }, reading.totals)
    const topicInterval = Math.floor(interval / perTopicInterval)
    if (topicInterval === topicsBefore?.interval) return
    const isKnown = reading.topics !== null && reading.totals.accepted !== null
    addTopics({ interval: topicInterval, atMs }, isKnown ? reading.topics : undefined)
  }

  function addTotals(taken: Taken, totals: Figures): void {
    all.advance(taken.interval)
    const last = before
    if (last !== undefined) {
      newestMs.all = taken.atMs - last.atMs
      const intervals = taken.interval - last.interval
      for (const name of names) {
        const value =
          name === 'inFlight' ? totals[name] : rateOf(last, last.totals[name], taken, totals[name])
        all.set(name, intervals, value)
      }
    }
    before = { ...taken, totals }
  }

  function addTopics(taken: Taken, now: readonly TopicFigures[] | undefined): void {
    for (const figure of topicFigures) topics[figure].advance(taken.interval)
    const last = topicsBefore
    if (last !== undefined) newestMs.topics = taken.atMs - last.atMs
    if (now === undefined) {
      topicsBefore = { ...taken, counts: noCounts }
      return
    }
    const counts = new Map(now.map((one) => [one.topic, one]))
    for (const figure of topicFigures) topics[figure].keep((topic) => counts.has(topic))
    if (last !== undefined && last.counts !== noCounts) {
      for (const one of now) {
        for (const figure of topicFigures) {
          const was = last.counts.get(one.topic)
          // A topic that was not there had nothing.
          const value = rateOf(last, was === undefined ? 0 : was[figure], taken, one[figure])
          topics[figure].set(one.topic, taken.interval - last.interval, value)
        }
      }
    }
    topicsBefore = { ...taken, counts }
  }

  async function run(): Promise<void> {
    const { signal } = closing
    beganMs = performance.now()
    for (let interval = 0; !signal.aborted; ) {
      const startedMs = performance.now()
      await sample(interval)
      const now = performance.now()
      const leftOut = Math.min(leftOutMax, Math.floor((now - startedMs) / (shareMax * intervalMs)))
      interval = Math.floor((now - beganMs) / intervalMs) + 1 + leftOut
      const restMs = beganMs + interval * intervalMs - now
      await sleep(restMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  const intervalsOf = (grid: Grid, ms: number, of: 'all' | 'topics'): Intervals => ({
    intervalMs: ms,
    newestMs: () => newestMs[of],
    startedAt() {
      const { from, to } = grid.bounds()
      return from === to ? undefined : Date.now() - (performance.now() - beganMs - from * ms)
    },
  })

  return {
    start() {
      running ??= run()
    },
    ofAll: { grid: all, ...intervalsOf(all, intervalMs, 'all') },
    ofTopics: { ...topics, ...intervalsOf(topics.accepted, topicIntervalMs, 'topics') },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}

const noCounts: ReadonlyMap<string, TopicFigures> = new Map()

/** How many a second; null if one of them is not known. A count that went back is another log's, or one less topic's. */
function rateOf(then: Taken, was: number | null, now: Taken, is: number | null): number | null {
  if (was === null || is === null || is < was) return null
  return ((is - was) * 1_000) / (now.atMs - then.atMs)
}
