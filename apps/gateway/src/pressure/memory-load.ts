/** How full Redis is, and whether it is too full to take more. */
import type { RedisMemory } from '@sekali/broker/memory'
import type { Logger } from '@sekali/process/log'
import type { PressureLimits } from './limits.ts'
import { createRate, waitSeconds } from './wait.ts'

/** It is time to look when so much of all that Redis may have was taken since the last look. */
const looksPerLimit = 64

export interface MemoryLoad {
  /** Whether nothing is taken. */
  isShedding(): boolean
  /** Per cent of what Redis may use; undefined if that has no limit, or is not known. */
  usedPercent(): number | undefined
  /** This gateway has brought bytes to Redis. Returns whether it is time to look. */
  onTaken(bytes: number): boolean
  /** A look begins. */
  begin(): void
  learn(memory: RedisMemory): void
  waitSeconds(random: () => number): number
}

export function createMemoryLoad(
  { shedAt, shedUntil }: Pick<PressureLimits, 'shedAt' | 'shedUntil'>,
  log: Logger,
  now: () => number,
): MemoryLoad {
  let memory: RedisMemory | undefined
  let taken = 0
  let shedding: { readonly sinceMs: number } | undefined
  let freed = createRate()
  const percentOf = ({ used, max }: RedisMemory) => (max === 0 ? 0 : (used / max) * 100)

  return {
    isShedding: () => shedding !== undefined,
    usedPercent: () => (memory === undefined || memory.max === 0 ? undefined : percentOf(memory)),

    onTaken(bytes) {
      taken += bytes
      return memory !== undefined && memory.max > 0 && taken >= memory.max / looksPerLimit
    },

    begin() {
      taken = 0
    },

    learn(found) {
      memory = found
      const percent = percentOf(found)
      if (shedding === undefined && percent >= shedAt) {
        shedding = { sinceMs: now() }
        freed = createRate()
        log.warn({ ...found }, 'redis is nearly full: publishing is refused')
      } else if (shedding !== undefined && percent < shedUntil) {
        shedding = undefined
        log.info({ ...found }, 'redis has room again')
      }
      freed.note(found.max - found.used, now())
    },

    waitSeconds(random) {
      if (memory === undefined || shedding === undefined) return 0
      const toFree = memory.used - (memory.max * shedUntil) / 100
      return waitSeconds(toFree, freed.perSecond(), now() - shedding.sinceMs, random)
    },
  }
}
