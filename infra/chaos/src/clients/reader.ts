/**
 * A reader that follows every topic all along with the one number that Sekali promises is enough: the last seq it
 * has seen. It keeps what it saw in the order in which it saw it; check.ts compares that with the final log. What it has
 * read beyond a fork it forgets once it is told, and not before: had it not been told, that would differ from the log.
 */
import { pause } from '../clock.ts'
import type { Door } from './door.ts'
import { placeBehind, Restored, readPage, type Seen, seenOf } from './log.ts'

export interface Reader {
  readonly seen: ReadonlyMap<string, readonly Seen[]>
  /** How often it was told that a log was restored. */
  told(): number
  /** Reads on until each topic's log gives no more, then ends. */
  finish(): Promise<void>
}

const pollMs = 200
const limit = 500

export function startReader(door: Door, topics: readonly string[]): Reader {
  const seen = new Map<string, Seen[]>(topics.map((topic) => [topic, []]))
  const stopping = new AbortController()

  const places = new Map<string, string>()
  let told = 0

  async function readOn(topic: string, list: Seen[]): Promise<boolean> {
    try {
      const page = await readPage(door, topic, places.get(topic) ?? '0', limit)
      list.push(...page.map(seenOf))
      if (page.length > 0) places.set(topic, placeBehind(page.at(-1)))
      return page.length > 0
    } catch (error) {
      if (!(error instanceof Restored)) throw error
      told += 1
      list.splice(error.forkedAt)
      places.set(topic, error.cursor)
      return true
    }
  }

  async function follow(topic: string, list: Seen[]): Promise<void> {
    while (!stopping.signal.aborted) {
      // A page that does not come now is asked for again, from the same place.
      const more = await readOn(topic, list).catch(() => false)
      if (!more) await pause(pollMs, stopping.signal)
    }
  }

  const following = [...seen].map(([topic, list]) => follow(topic, list))
  return {
    seen,
    told: () => told,
    finish: async () => {
      stopping.abort()
      await Promise.all(following)
      for (const [topic, list] of seen) while (await readOn(topic, list));
    },
  }
}
