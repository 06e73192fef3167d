/**
 * A hash of a text, the same in every process and version: FNV-1a over its UTF-16 units, mixed as MurmurHash3 ends, because
 * the last units of FNV-1a alone reach few bits. For sharing out, never against anybody: texts of one hash are easily made.
 * http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(value)
}

/** Spreads a 32-bit number over all of 32 bits. */
export function mix(number: number): number {
  let value = number
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
