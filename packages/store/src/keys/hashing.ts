import { hash } from 'node:crypto'

/** 32 bytes, each a character up to U+00FF. No other form of a digest costs Node as little. */
export type Hashed = string

const scratchBytes = 64 * 1024
// One for all: nothing waits between its writing and its hashing.
const scratch = Buffer.allocUnsafeSlow(scratchBytes)
// A view of it is an object that costs more than the hash of what is in it. Of short texts they are kept.
const views: (Buffer | undefined)[] = []
const viewsMax = 2_048

/** Gives SHA-256 of `seed` and one text, or two with a NUL between them, in UTF-8. */
export function hashing(seed: Buffer): (text: string, second?: string) => Hashed {
  return (text, second) => {
    const start = seed.length
    // Three bytes at the most for each of UTF-16's units.
    const bytesMax = start + 1 + (text.length + (second?.length ?? 0)) * 3
    const isSmall = bytesMax <= scratchBytes
    const bytes = isSmall ? scratch : Buffer.allocUnsafe(bytesMax)
    for (let at = 0; at < start; at++) bytes[at] = seed[at] as number
    let end = start + bytes.write(text, start)
    if (second !== undefined) {
      bytes[end] = 0
      end += 1
      end += bytes.write(second, end)
    }
    return hash('sha256', isSmall ? viewOf(end) : bytes.subarray(0, end), 'binary')
  }
}

function viewOf(end: number): Buffer {
  if (end >= viewsMax) return scratch.subarray(0, end)
  const kept = views[end]
  if (kept !== undefined) return kept
  const view = scratch.subarray(0, end)
  views[end] = view
  return view
}
