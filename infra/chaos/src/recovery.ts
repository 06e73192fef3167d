import type { Books } from './books.ts'
import { until } from './clock.ts'
import type { Door } from './door.ts'
import { readStats, settledOf } from './figures.ts'

/**
 * Milliseconds until service is back: publishing is answered with yes again, and everything that was accepted up to
 * now is accounted for, in every topic. Undefined when that takes too long.
 */
export async function awaitRecovery(
  door: Door,
  topics: readonly string[],
  books: Books,
  recoveryMsMax: number,
): Promise<number | undefined> {
  const since = performance.now()
  const { ok } = books.total
  let goal: Map<string, number> | undefined
  const isBack = async () => {
    const rows = await readStats(door, topics)
    const known = [...rows].every(([, row]) => settledOf(row) !== undefined)
    if (!known || books.total.ok <= ok) return false
    goal ??= new Map([...rows].map(([topic, { accepted }]) => [topic, accepted ?? 0]))
    return [...rows].every(([topic, row]) => (settledOf(row) ?? 0) >= (goal?.get(topic) ?? 0))
  }
  return (await until(isBack, recoveryMsMax)) ? performance.now() - since : undefined
}
