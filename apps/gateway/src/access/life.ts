import { SekaliError } from '@sekali/core/errors'

/** The key of what was under way was revoked, or has expired. The message is for its holder. */
export class KeyEnded extends SekaliError {
  readonly code = 'unauthorized'
  readonly retryable = false
}

/**
 * How long what was admitted may go on. A request is admitted once, but a tail, a replay, a stream of lines or a wait
 * goes on for hours: it asks here to be ended when its key is revoked or expires.
 */
export interface Life {
  /** Why it is over, in words for the client; undefined as long as it is not. */
  readonly over: string | undefined
  /** Calls `end` once it is over, at once if it is so already, unless the result is disposed of before. */
  onEnd(end: (why: string) => void): Disposable
  /**
   * A request is under way with it until the result is disposed of: as long as it is, its key is read again and again. For
   * a request that takes a while and asks at the end whether it is over.
   */
  begin(): Disposable
}

export interface OwnLife extends Life {
  /** Whether a request is under way, or anything would be ended. */
  readonly isInUse: boolean
  end(why: string): void
}

const nothing: Disposable = { [Symbol.dispose]: () => undefined }

/** Of what nobody can revoke. */
export const forever: Life = {
  over: undefined,
  onEnd: () => nothing,
  begin: () => nothing,
}

/** `onWatched` is called when somebody wants to know of the end. A set and not an AbortSignal: a key can have thousands of tails, and a signal walks all its listeners to add one. */
export function createLife(onWatched: () => void = () => undefined): OwnLife {
  const ends = new Set<(why: string) => void>()
  let over: string | undefined
  let requests = 0
  // One for all requests: nearly each of them takes it.
  const finish: Disposable = {
    [Symbol.dispose]() {
      requests -= 1
    },
  }
  return {
    get over() {
      return over
    },
    get isInUse() {
      return requests > 0 || ends.size > 0
    },
    begin() {
      requests += 1
      return finish
    },
    onEnd(given) {
      if (over !== undefined) {
        given(over)
        return nothing
      }
      onWatched()
      const end = (why: string) => given(why) // of its own, so that one function can be given twice
      ends.add(end)
      return { [Symbol.dispose]: () => void ends.delete(end) }
    },
    end(why) {
      if (over !== undefined) return
      over = why
      for (const end of ends) end(why)
      ends.clear()
    },
  }
}
