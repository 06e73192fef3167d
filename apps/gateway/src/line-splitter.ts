import { limits } from '@sekali/core/limits'
import { pieceBytes } from './body.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  /** `undefined` for a line that is longer than an event can be, or is not UTF-8. */
  readonly text: string | undefined
}

export interface LineSplitter {
  /** The number of the line that has begun and is not complete. */
  begun(): number | undefined
  heldBytes(): number
  /** The lines of a chunk as far as they are complete; of blank ones the text is empty. */
  split(chunk: Buffer): Generator<Line>
  /** The last line, which no line break ends. */
  take(): Line
}

const newline = 0x0a

/** Collects the pieces of a line; of one that gets too long it only remembers that. */
export function createLineSplitter(): LineSplitter {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let number = 0
  let pieces: Uint8Array[] = []
  let bytes = 0

  function decode(): string | undefined {
    if (bytes === 0) return ''
    if (bytes > limits.bodyBytesMax) return undefined
    try {
      return utf8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))
    } catch {
      return undefined // not UTF-8: said as a bad line
    }
  }

  function add(piece: Uint8Array): void {
    bytes += piece.length
    if (bytes > limits.bodyBytesMax) pieces = []
    else if (piece.length > 0) pieces.push(piece)
  }

  function take(): Line {
    number += 1
    const line = { number, text: decode() }
    pieces = []
    bytes = 0
    return line
  }

  return {
    begun: () => (bytes === 0 ? undefined : number + 1),
    heldBytes: () => (pieces.length === 0 ? 0 : bytes + pieces.length * pieceBytes),
    *split(chunk) {
      let from = 0
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
        if (at > from) add(chunk.subarray(from, at))
        from = at + 1
        yield take()
      }
      add(chunk.subarray(from))
    },
    take,
  }
}
