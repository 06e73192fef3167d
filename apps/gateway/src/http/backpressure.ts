import type { Writable } from 'node:stream'

/** Resolves when a stream that is full takes more, or is gone; with `false` when `ms` are over before. */
export function drained(stream: Writable, ms?: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onDrain = () => resolve(true)
  const timer = ms === undefined ? undefined : setTimeout(() => resolve(!stream.writableNeedDrain), ms)
  stream.once('drain', onDrain).once('close', onDrain)
  return promise.finally(() => {
    clearTimeout(timer)
    stream.off('drain', onDrain).off('close', onDrain)
  })
}

export interface PieceLimits {
  /** The largest piece, unless one text is larger. */
  readonly pieceCharsMax: number
  /** How long to wait for the stream, over all pieces. */
  readonly patienceMs: number
}

/**
 * Joins texts to pieces and passes each to `write` when the stream takes it, until the stream is too slow or gone. `write`
 * also gets the number of texts up to the end of the piece. Resolves with the number of texts that were written.
 */
export async function writePieces(
  stream: Writable,
  texts: Iterable<string>,
  { pieceCharsMax, patienceMs }: PieceLimits,
  write: (piece: string, count: number) => void,
): Promise<number> {
  const deadline = performance.now() + patienceMs
  let piece = ''
  let count = 0
  let written = 0
  const flush = async (): Promise<boolean> => {
    if (stream.destroyed || stream.writableEnded) return false
    written = count
    write(piece, count)
    piece = ''
    return !stream.writableNeedDrain || (await drained(stream, Math.max(0, deadline - performance.now())))
  }
  for (const text of texts) {
    if (piece !== '' && piece.length + text.length > pieceCharsMax && !(await flush())) return written
    piece += text
    count += 1
  }
  if (piece !== '') await flush()
  return written
}
