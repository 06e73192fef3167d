/**
 * How much content is kept of a topic's conflicts and dead letters. A publisher that uses an id again and again, or
 * whatever else writes to Redis, would fill PostgreSQL's disk with it; nobody sorts millions of them out by hand.
 * Of those over the limit a stub is kept, so that receipts and figures stay true.
 */
import { limits } from '@sekali/core/limits'
import type { Turn } from './turn.ts'

/** Decides for each content, one after the other, whether there is room for it. */
export interface Kept {
  /** Bytes for which there was room. */
  readonly bytes: number
  hasRoom(...texts: readonly string[]): boolean
}

export function createKept({ keptBytes }: Pick<Turn, 'keptBytes'>): Kept {
  let bytes = 0
  return {
    get bytes() {
      return bytes
    },
    hasRoom: (...texts) => {
      const room = limits.keptBytesMax - keptBytes - bytes
      if (room <= 0) return false
      const needed = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
      if (needed > room) return false
      bytes += needed
      return true
    },
  }
}
