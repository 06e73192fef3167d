import { type Cursor, formatCursor } from './cursor.ts'
import { formatPlace } from './epoch-place.ts'
import type { EpochPlace } from './fork.ts'

/** A place in the log at which a query begins or ends: of one topic, or of each topic, by its id or its name. */
export type Bound = EpochPlace | Cursor | ReadonlyMap<string, EpochPlace>

export const isOfTopics = (bound: Bound): bound is Cursor | ReadonlyMap<string, EpochPlace> =>
  bound instanceof Map

/** The bound as a query has it. */
export function formatBound(bound: Bound): string {
  if (!isOfTopics(bound)) return formatPlace(bound)
  const isByName = typeof bound.keys().next().value === 'string'
  if (!isByName) return formatCursor(bound as Cursor)
  return [...bound].map(([topic, place]) => `${topic}:${formatPlace(place)}`).join(',')
}

/** The issue of a bound that cannot be read, or is of another pattern. */
export const badBound = (path: string, isOfPattern: boolean) => ({
  path,
  code: `invalid_${path}`,
  message: isOfPattern
    ? 'must come from a link, or be topic:seq pairs joined by commas, of topics that match, each once'
    : 'must be the seq of an event, with its epoch before it if that is not 1: 2.600',
})
