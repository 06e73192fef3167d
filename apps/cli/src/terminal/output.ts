import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { SekaliError } from '@sekali/core/errors'
import { watchReader } from './reader.ts'

/** What was to be written could not be: the disk is full, perhaps. */
export class OutputFailed extends SekaliError {
  readonly code = 'output_failed'
  readonly retryable = false
}

export interface Output {
  /** Resolves when more may be written: a slow reader slows us, and nothing piles up. */
  write(text: string): Promise<void>
  /** A line. */
  line(text?: string): Promise<void>
  /** Notices until disposed that the reader has left, also while nothing is written. */
  watch(): Disposable
}

/**
 * Writes to a stream. Whoever reads it may leave (`| head`): then `onClosed` hears of it, and nothing is printed about
 * that, because it is no fault. Of anything else that keeps it from writing it hears with the error.
 */
export function createOutput(
  stream: Writable,
  signal: AbortSignal,
  onClosed: (failure?: OutputFailed) => void,
): Output {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') onClosed()
    else onClosed(new OutputFailed(`cannot write what is read: ${error.message}`))
  })
  async function write(text: string): Promise<void> {
    signal.throwIfAborted()
    if (!stream.write(text)) await once(stream, 'drain', { signal })
    signal.throwIfAborted()
  }
  return { write, line: (text = '') => write(`${text}\n`), watch: () => watchReader(onClosed) }
}
