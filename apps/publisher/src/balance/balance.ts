// Does what was sent equal what became of it? Nothing here does I/O: three sets of numbers in, a verdict out.

import { add, figureNames, outcomeNames, subtract } from '@sekali/core/figures'
import type { Sent } from '../load/publish.ts'
import { type Known, type KnownByTopic, nothing } from './figures.ts'

export interface Line extends Known {
  readonly topic: string
  readonly sent: number
  /** Events among them that repeat no other one. */
  readonly unique: number
}

export interface Balance {
  readonly topics: readonly Line[]
  readonly total: Line
  /** Unique events that were stored before the run began, by an earlier run of the same seed. */
  readonly replayed: number
  /** What is off, in words; empty if it balances. */
  readonly problems: readonly string[]
}

export interface Run {
  readonly sent: Sent
  readonly before: KnownByTopic
  readonly after: KnownByTopic
  readonly seedIsFresh: boolean
}

export function balance({ sent, before, after, seedIsFresh }: Run): Balance {
  const topics = [...sent.byTopic].map(([topic, { sent, unique }]): Line => {
    const grown = subtract(after.get(topic) ?? nothing, before.get(topic) ?? nothing)
    return { topic, sent, unique, ...grown }
  })
  const counts = topics.map(({ topic: _, ...counts }) => counts)
  const total: Line = { topic: 'total', ...counts.reduce(add, { sent: 0, unique: 0, ...nothing }) }
  const problems = topics.flatMap((line) => {
    // An event of a fresh seed cannot have been there. Of a seed that somebody chose, an earlier run may have
    // stored some, but no more than the topic had: on an empty topic a replay is no excuse.
    const replayable = seedIsFresh ? 0 : (before.get(line.topic)?.stored ?? 0)
    return problemsOf(line, replayable).map((problem) => `${line.topic}: ${problem}`)
  })
  const surplus = total.accepted - total.sent
  if (surplus > sent.retries) {
    // A request whose answer got lost is made again, and both are accepted. More than that no retry explains.
    problems.push(
      `${n(surplus)} more accepted than sent, but only ${n(sent.retries)} ${sent.retries === 1 ? 'retry' : 'retries'}`,
    )
  }
  return { topics, total, replayed: Math.max(0, total.unique - total.stored), problems }
}

/** What a run may come to: of the rest there must be none. */
const expected = new Set<string>(['accepted', 'stored', 'duplicates'])

function problemsOf(line: Line, replayable: number): string[] {
  const problems: string[] = []
  const outcomes = outcomeNames.reduce((sum, name) => sum + line[name], line.in_flight)
  if (line.accepted !== outcomes) problems.push(`${n(line.accepted)} accepted, ${n(outcomes)} accounted for`)
  if (line.accepted < line.sent) problems.push(`${n(line.sent)} sent, only ${n(line.accepted)} accepted`)
  if (line.stored > line.unique) problems.push(`${n(line.stored)} stored of ${n(line.unique)} unique events`)
  if (line.unique - line.stored > replayable) {
    problems.push(`only ${n(line.stored)} stored of ${n(line.unique)} unique events`)
  }
  for (const name of figureNames.filter((name) => !expected.has(name))) {
    if (line[name] !== 0) problems.push(`${titleOf(name)} ${n(line[name])}`)
  }
  return problems
}

/** A figure's name as people read it. */
export const titleOf = (name: string): string => name.replace('_', ' ')

export function n(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
