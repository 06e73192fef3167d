import type { Stats } from '@sekali/client/answers'
import { add, type Figures, figureNames, figuresOf } from '@sekali/core/figures'

/** What /stats says of one topic, when it knows all of it. */
export type Known = Figures<number>
export type KnownByTopic = ReadonlyMap<string, Known>

export const nothing: Known = figuresOf(() => 0)

/**
 * The figures of the given topics; a topic that Sekali has not seen yet has only zeros. Undefined while
 * anything is unknown (null): with a server away, a topic may be missing from the list although it has events.
 */
export function knownFigures(stats: Stats, topics: readonly string[]): KnownByTopic | undefined {
  if (stats.topics === null) return undefined
  const byTopic = new Map(stats.topics.map((figures) => [figures.topic, figures]))
  const wanted = topics.map((topic) => [topic, byTopic.get(topic) ?? nothing] as const)
  if (!isKnown(stats.totals)) return undefined
  const known = wanted.flatMap(([topic, figures]) =>
    isKnown(figures) ? [[topic, figuresOf((name) => figures[name])] as const] : [],
  )
  return known.length === wanted.length ? new Map(known) : undefined
}

function isKnown(figures: Figures): figures is Figures & Known {
  return figureNames.every((name) => figures[name] !== null)
}

export function totalOf(figures: KnownByTopic): Known {
  return [...figures.values()].reduce(add, nothing)
}
