import { isComplete, readStats, settledOf } from '../check/figures.ts'
import type { Books } from '../clients/books.ts'
import type { Door } from '../clients/door.ts'
import { until } from '../clock.ts'

export interface Recovery {
  readonly ms: number
  /** By the wall clock: what was acknowledged before this is accounted for now. */
  readonly safeBefore: number
}

/** Figures may be as old as this when they are read. */
const figuresAgeMs = 1_000

/**
 * Resolves when service is back: publishing is answered with yes again, and everything that was accepted up to now is
 * accounted for, in every topic. With undefined when that takes too long.
 */
export async function awaitRecovery(
  door: Door,
  topics: readonly string[],
  books: Books,
  recoveryMsMax: number,
): Promise<Recovery | undefined> {
  const since = performance.now()
  const { ok } = books.total
  let goal: Map<string, number> | undefined
  let safeBefore = 0
  const isBack = async () => {
    const askedAt = Date.now()
    const rows = await readStats(door, topics)
    const known = isComplete(rows, books) && rows.values().every((row) => settledOf(row) !== undefined)
    if (!known || books.total.ok <= ok) return false
    if (goal === undefined) {
      goal = new Map([...rows].map(([topic, { accepted }]) => [topic, accepted ?? 0]))
      safeBefore = askedAt - figuresAgeMs
    }
    return [...rows].every(([topic, row]) => (settledOf(row) ?? 0) >= (goal?.get(topic) ?? 0))
  }
  return (await until(isBack, recoveryMsMax)) ? { ms: performance.now() - since, safeBefore } : undefined
}
