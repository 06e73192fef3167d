import type { IncomingMessage } from 'node:http'
import { SekaliError } from '@sekali/core/errors'
import { IncompleteBody } from './body.ts'

export interface Patience {
  /** A client that sends nothing for so long is hung up on. */
  readonly silenceMs?: number
  /**
   * A line must be complete after so long, as the body of a single event must. Only what the client takes counts, so
   * that a stream which follows a log may be slow, and pause between two lines, for as long as it likes.
   */
  readonly lineMs?: number
}

/**
 * The chunks of a body. Throws IncompleteBody when the client leaves, falls silent, or takes too long with the line
 * that `isInLine` says it is in.
 */
export async function* readChunks(
  request: IncomingMessage,
  isInLine: () => boolean,
  { silenceMs = 15_000, lineMs = 15_000 }: Patience = {},
): AsyncGenerator<Buffer> {
  // Nothing of the connection is destroyed with it: the client is still to hear the answer.
  const chunks = request.iterator({ destroyOnReturn: false })
  let leftMs = lineMs
  try {
    for (;;) {
      if (!isInLine()) leftMs = lineMs
      const since = performance.now()
      const { value, done } = await within(Math.min(silenceMs, leftMs), chunks.next())
      leftMs -= performance.now() - since
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
  const timer = setTimeout(() => tooLate.reject(new IncompleteBody('the stream was too slow')), ms)
  try {
    return await Promise.race([read, tooLate.promise])
  } finally {
    clearTimeout(timer)
  }
}
