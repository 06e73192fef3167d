import { once } from 'node:events'
import type { Writable } from 'node:stream'

export interface Output {
  /** Resolves when more may be written: a slow reader slows us, and nothing piles up. */
  write(text: string): Promise<void>
  /** A line. */
  line(text?: string): Promise<void>
}

/**
 * Writes to a stream. Whoever reads it may leave (`| head`): then `onClosed` hears of it, and nothing is printed about
 * that, because it is no fault.
 */
export function createOutput(stream: Writable, signal: AbortSignal, onClosed: () => void): Output {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') onClosed()
    else throw error
  })
  async function write(text: string): Promise<void> {
    signal.throwIfAborted()
    if (!stream.write(text)) await once(stream, 'drain', { signal })
    signal.throwIfAborted()
  }
  return { write, line: (text = '') => write(`${text}\n`) }
}
