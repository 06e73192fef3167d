import type { IncomingMessage } from 'node:http'
import { SekaliError } from '@sekali/core/errors'
import { IncompleteBody } from './body.ts'

export interface Patience {
  /** A client that sends nothing for so long is hung up on. */
  readonly silenceMs?: number
  /**
   * A line must be complete after so long, as the body of a single event must. Only what the client takes counts, so
   * that a stream which follows a log may be slow, and pause between two lines for as long as silence is borne.
   */
  readonly lineMs?: number
}

/** The client is there, and was too slow for the server's patience. */
export class TooSlow extends SekaliError {
  readonly code = 'request_timeout'
  readonly retryable = false
}

/**
 * The chunks of a body. `begun` tells the number of the line that it is in the middle of, if it is. Throws
 * IncompleteBody when the client leaves, and TooSlow when it falls silent or takes too long with a line.
 */
export async function* readChunks(
  request: IncomingMessage,
  begun: () => number | undefined,
  { silenceMs = 15_000, lineMs = 15_000 }: Patience = {},
): AsyncGenerator<Buffer> {
  // Nothing of the connection is destroyed with it: the client is still to hear the answer.
  const chunks = request.iterator({ destroyOnReturn: false })
  let line: number | undefined
  let waitedMs = 0
  try {
    for (;;) {
      if (line !== begun()) waitedMs = 0
      line = begun()
      const ms = line === undefined ? silenceMs : Math.min(silenceMs, lineMs - waitedMs)
      const since = performance.now()
      const { value, done } = await within(ms, chunks.next())
      waitedMs += performance.now() - since
      if (done) return
      yield value
    }
  } catch (error) {
    throw error instanceof SekaliError ? error : new IncompleteBody('the stream broke off', { cause: error })
  } finally {
    chunks.return?.().catch(() => undefined) // what is left of it is of no use
  }
}

async function within<T>(ms: number, read: Promise<T>): Promise<T> {
  const tooLate = Promise.withResolvers<never>()
  const timer = setTimeout(() => tooLate.reject(new TooSlow('the stream was too slow')), ms)
  try {
    return await Promise.race([read, tooLate.promise])
  } finally {
    clearTimeout(timer)
  }
}
