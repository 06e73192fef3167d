/**
 * How far a standby is behind in time, without its clock: this process remembers how much the primary had written when it
 * looked. What the standby has of it says up to which look it has everything.
 */
import type { Replayed } from '@sekali/store/standby'

/** Zeros where it has all that the primary had written at the last look. */
export interface Lag {
  /** At most so many; `undefined` where nobody knows. */
  readonly seconds: number | undefined
  readonly bytes: number
}

export interface LagMeter {
  /** The primary had written so much at this moment. */
  onWritten(bytes: number, atMs: number): void
  /** As of the last look at the primary; `undefined` before there was one. */
  lagOf(replayed: Pick<Replayed, 'bytes' | 'ageSeconds'>): Lag | undefined
}

interface Look {
  readonly bytes: number
  /** The last moment at which the primary had written no more. */
  atMs: number
}

/** Looks that are kept: with one each second, two minutes. */
const looksMax = 120

export function createLagMeter(): LagMeter {
  let looks: Look[] = []
  return {
    onWritten(bytes, atMs) {
      const last = looks.at(-1)
      // After a failover it may have less.
      if (last !== undefined && last.bytes > bytes) looks = []
      if (last?.bytes === bytes) last.atMs = atMs
      else looks.push({ bytes, atMs })
      if (looks.length > looksMax) looks.shift()
    },
    lagOf({ bytes, ageSeconds }) {
      const last = looks.at(-1)
      if (last === undefined) return undefined
      const has = looks.findLast((look) => look.bytes <= bytes)
      // What it has is older than what is remembered: then the servers' own clocks must do.
      const seconds = has === undefined ? ageSeconds : (last.atMs - has.atMs) / 1_000
      return { seconds, bytes: Math.max(0, last.bytes - bytes) }
    },
  }
}
