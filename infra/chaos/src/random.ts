import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Chance that a seed decides. */
export interface Random {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number
  /** True in `share` of the cases. */
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  shuffled<T>(list: readonly T[]): T[]
}

/** The same seed and purpose give the same chance; what one purpose draws does not move another. */
export function createRandom(seed: number, purpose: string): Random {
  const generator = xoroshiro128plus(hash(`${seed} ${purpose}`))
  const int = (min: number, max: number) => uniformInt(generator, min, max)
  const pick = <T>(list: readonly T[]) => list[int(0, list.length - 1)] as T
  return {
    int,
    chance: (share) => int(0, 999_999) < share * 1_000_000,
    pick,
    shuffled: <T>(list: readonly T[]) => {
      const rest = [...list]
      return Array.from(list, () => rest.splice(int(0, rest.length - 1), 1)[0] as T)
    },
  }
}

/** FNV-1a, 32 bits, and the finalizer of MurmurHash3: neighbouring seeds give unrelated streams. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}
