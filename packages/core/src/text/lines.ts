/** Cuts what comes in, one event a line (NDJSON), into lines: the one rule for the gateway and the command line. */
import type { Issue } from '../errors.ts'
import { limits } from '../limits.ts'
import { decodeUtf8, hasMark, utf8Rule, withoutMark } from './utf8.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without what ends it; undefined if it cannot be read. */
  readonly text: string | undefined
  /** Why it cannot be read. */
  readonly issue?: Issue
}

export interface LineSplitter {
  /** The number of the line that has begun and is not complete. */
  begun(): number | undefined
  heldBytes(): number
  /** The lines of a chunk as far as they are complete. */
  split(chunk: Uint8Array): Generator<Line>
  /** The last line, which no line break ends. */
  take(): Line
}

const newline = 0x0a
/** What a piece of a line costs beyond its bytes: of a body in chunks of one byte it is nearly everything. */
export const pieceBytes = 128

/** White space as JSON has it: a line of it is no event, and no mistake. A line may so end in CR LF. */
export const isBlank = (text: string): boolean => /^[ \t\r]*$/.test(text)

/** Collects the pieces of a line; of one that gets too long it only remembers that. */
export function createLineSplitter(): LineSplitter {
  let number = 0
  let pieces: Uint8Array[] = []
  let bytes = 0

  function read(): Omit<Line, 'number'> {
    if (bytes > limits.bodyBytesMax) return tooLong
    const [first = empty] = pieces
    const whole = pieces.length <= 1 ? first : joined(pieces, bytes)
    const text = decodeUtf8(whole)
    if (text === undefined) return { text, issue: badLine(utf8Rule(whole)) }
    if (number === 1) return { text: withoutMark(text) }
    return hasMark(text) ? marked : { text }
  }

  function add(piece: Uint8Array): void {
    bytes += piece.length
    if (bytes > limits.bodyBytesMax) pieces = []
    else if (piece.length > 0) pieces.push(piece)
  }

  function take(): Line {
    number += 1
    const line = { number, ...read() }
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

const empty = new Uint8Array()
const badLine = (message: string): Issue => ({ path: '', code: 'invalid_line', message })
/** As of files that were put together. It is no white space of JSON, and cannot be seen. */
const marked = {
  text: undefined,
  issue: badLine('begins with a byte order mark, which only the first line may'),
}
const tooLong = { text: undefined, issue: badLine(`must be at most ${limits.bodyBytesMax} bytes`) }

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
