import { keyOf, type Source } from '../confined/source.ts'
import type { NotImported } from './errors.ts'

/**
 * Texts of files whose import timed out. Such a text is tried again after `importMs`, then after twice as long, and so on
 * up to ten minutes: while it is tried no other definition runs, and if it gets stuck all must be imported anew.
 */
export interface LateTexts {
  isLeftAlone(source: Source): boolean
  /** Throws the last error of a text that is left alone. */
  refuse(source: Source): void
  /** Notes that an import failed. A text that cannot succeed by itself is not late. */
  add(source: Source, error: NotImported): void
  /** Notes that an import succeeded. */
  delete(source: Source): void
}

const leftAloneMsMax = 600_000

interface Late {
  readonly error: NotImported
  readonly tries: number
  readonly until: number
}

export function createLateTexts(importMs: number): LateTexts {
  const texts = new Map<string, Late>()
  const current = (source: Source): Late | undefined => {
    const late = texts.get(keyOf(source))
    return late !== undefined && performance.now() < late.until ? late : undefined
  }
  return {
    isLeftAlone: (source) => current(source) !== undefined,
    refuse(source) {
      const late = current(source)
      if (late !== undefined) throw late.error
    },
    add(source, error) {
      if (!error.retryable) return
      const key = keyOf(source)
      const tries = texts.get(key)?.tries ?? 0
      const until = performance.now() + Math.min(leftAloneMsMax, importMs * 2 ** tries)
      texts.set(key, { error, tries: tries + 1, until })
    },
    delete: (source) => void texts.delete(keyOf(source)),
  }
}
