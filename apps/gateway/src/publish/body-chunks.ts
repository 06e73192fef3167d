import type { IncomingMessage } from 'node:http'
import { withDeadline } from '@sekali/core/deadline'
import { SekaliError } from '@sekali/core/errors'
import { KeyEnded, type Life } from '../access/life.ts'
import { IncompleteBody } from './body.ts'

export interface Patience {
  /** A client that sends nothing for so long is hung up on. */
  readonly silenceMs?: number
  /**
   * A line must be complete after so long, as the body of a single event must. Only the client's own time counts. A
   * stream that follows a log may pause between two lines, up to `silenceMs`.
   */
  readonly lineMs?: number
}

/** The client is there, and was too slow for the server's patience. */
export class TooSlow extends SekaliError {
  readonly code = 'request_timeout'
  readonly retryable = false
}

/**
 * The chunks of a body. `begun()` is the number of the line that the last chunk left unfinished, if it did.
 * Throws IncompleteBody when the client leaves, TooSlow when it falls silent or takes too long with a line, and KeyEnded
 * when its key is revoked.
 */
export async function* readChunks(
  request: IncomingMessage,
  begun: () => number | undefined,
  life: Life,
  { silenceMs = 15_000, lineMs = 15_000 }: Patience = {},
): AsyncGenerator<Buffer> {
  let giveUp: (reason: KeyEnded) => void = () => undefined
  using _watch = life.onEnd((why) => giveUp(new KeyEnded(why)))
  // The connection stays when the iterator ends: the client still gets the answer.
  const chunks = request.iterator({ destroyOnReturn: false })
  let line: number | undefined
  let waitedMs = 0
  try {
    for (;;) {
      if (line !== begun()) waitedMs = 0
      line = begun()
      const ms = line === undefined ? silenceMs : Math.min(silenceMs, lineMs - waitedMs)
      const since = performance.now()
      if (life.over !== undefined) throw new KeyEnded(life.over)
      // No Promise.race: what stays pending would remember each read of a stream that lasts for days.
      const next = new Promise<IteratorResult<Buffer>>((resolve, reject) => {
        giveUp = reject
        chunks.next().then(resolve, reject)
      })
      const { value, done } = await inTime(ms, next)
      waitedMs += performance.now() - since
      if (done) return
      yield value
    }
  } catch (error) {
    throw error instanceof SekaliError ? error : new IncompleteBody('the stream broke off', { cause: error })
  } finally {
    chunks.return?.().catch(() => undefined) // nobody needs what is left
  }
}

const inTime = <T>(ms: number, read: Promise<T>): Promise<T> =>
  withDeadline(read, ms, () => {
    throw new TooSlow('the stream was too slow')
  })
