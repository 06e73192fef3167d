import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { SekaliError } from '@sekali/core/errors'
import { watchReader } from './reader.ts'

/** The output could not be written: the disk is full, perhaps. */
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
 * Writes to a stream. When its reader leaves (`| head`), `onClosed` is called without an error, because that is no fault.
 * When a write fails for another reason, `onClosed` gets the error.
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
