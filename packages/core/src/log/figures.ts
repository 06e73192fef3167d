/**
 * The figures of promise 7: accepted = stored + duplicates + conflicts + dead + lost + in flight, of a topic or of all.
 * Whoever counts, adds, stores or shows them goes by these names, so a new outcome is a name more here.
 */

/** What an entry can come to, in the order in which people are shown it. */
export const outcomeNames = ['stored', 'duplicates', 'conflicts', 'dead', 'lost'] as const
type OutcomeName = (typeof outcomeNames)[number]

/** The two sides of the equation, as the API has them. */
export const figureNames = ['accepted', ...outcomeNames, 'in_flight'] as const
type FigureName = (typeof figureNames)[number]

/** How many entries came to each outcome. */
export type Outcomes<Count = number> = Readonly<Record<OutcomeName, Count>>

/** `null` is what cannot be known now. */
export type Figures<Count = number | null> = Readonly<Record<FigureName, Count>>

/** One value for each outcome. */
export const outcomesOf = <Count>(countOf: (name: OutcomeName) => Count): Outcomes<Count> =>
  of(outcomeNames, countOf)

/** One value for each figure. */
export const figuresOf = <Count>(countOf: (name: FigureName) => Count): Figures<Count> =>
  of(figureNames, countOf)

/** Counts by name, and nothing else. */
type Counts<T> = { readonly [Name in keyof T]: number | null }

/** Adds each count of `b` to that of `a`. */
export const add = <T extends Counts<T>>(a: T, b: T): T => combine(a, b, plus)

/** Subtracts each count of `b` from that of `a`. */
export const subtract = <T extends Counts<T>>(a: T, b: T): T =>
  combine(a, b, (x, y) => (x === null || y === null ? null : x - y))

/** Of what must add up: what is unknown makes the sum unknown. */
export const sum = (counts: readonly (number | null)[]): number | null =>
  counts.reduce<number | null>(plus, 0)

const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b)

function combine<T extends Counts<T>>(
  a: T,
  b: T,
  operation: (x: number | null, y: number | null) => number | null,
): T {
  return of(Object.keys(a) as (keyof T)[], (name) => operation(a[name], b[name])) as T
}

/** A loop, because the figures of 26,000 topics are made at once: `Object.fromEntries` takes five times as long. */
function of<Name extends PropertyKey, Count>(
  names: readonly Name[],
  countOf: (name: Name) => Count,
): Record<Name, Count> {
  const counts = {} as Record<Name, Count>
  for (const name of names) counts[name] = countOf(name)
  return counts
}
