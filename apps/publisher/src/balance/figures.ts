import type { Figures, Stats } from '@sekali/client/answers'

export const figureNames = [
  'accepted',
  'stored',
  'duplicates',
  'conflicts',
  'dead',
  'lost',
  'in_flight',
] as const

/** What /stats says of one topic, when it knows all of it. */
export type Known = Record<(typeof figureNames)[number], number>
export type KnownByTopic = ReadonlyMap<string, Known>

export const nothing: Known = {
  accepted: 0,
  stored: 0,
  duplicates: 0,
  conflicts: 0,
  dead: 0,
  lost: 0,
  in_flight: 0,
}

/**
 * The figures of the given topics; a topic that Sekali has not seen yet has only zeros. Undefined while
 * anything is unknown (null): with a server away, a topic may be missing from the list although it has events.
 */
export function knownFigures(stats: Stats, topics: readonly string[]): KnownByTopic | undefined {
  if (stats.topics === null) return undefined
  const byTopic = new Map(stats.topics.map((figures) => [figures.topic, figures]))
  const wanted = topics.map((topic) => [topic, byTopic.get(topic) ?? nothing] as const)
  if (!isKnown(stats.totals)) return undefined
  const known = wanted.flatMap(([topic, figures]) => (isKnown(figures) ? [[topic, figures] as const] : []))
  return known.length === wanted.length ? new Map(known) : undefined
}

function isKnown(figures: Figures): figures is Figures & Known {
  return figureNames.every((name) => figures[name] !== null)
}

function combine(a: Known, b: Known, operation: (a: number, b: number) => number): Known {
  return Object.fromEntries(figureNames.map((name) => [name, operation(a[name], b[name])])) as Known
}

export function add(a: Known, b: Known): Known {
  return combine(a, b, (x, y) => x + y)
}

export function subtract(a: Known, b: Known): Known {
  return combine(a, b, (x, y) => x - y)
}

export function totalOf(figures: KnownByTopic): Known {
  return [...figures.values()].reduce(add, nothing)
}
