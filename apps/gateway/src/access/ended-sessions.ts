/**
 * Sessions that somebody has logged out of, here or at another gateway. Those that are in use here are looked up every
 * `refreshMs`, in one call, and not while there are none. While Redis is away they go on: as many gateways that have
 * heard of an end refuse them, and they end by themselves.
 */
import { setTimeout as sleep } from 'node:timers/promises'

export interface EndedSessionsDeps {
  readonly findEnded: (names: readonly string[]) => Promise<ReadonlySet<string>>
  /** A session in use that was ended elsewhere. */
  readonly onEnded: (digest: string) => void
}

interface Watched {
  readonly digest: string
  readonly endsAtMs: number
}

export interface EndedSessions extends AsyncDisposable {
  /** Looks after a session from now on. */
  watch(name: string, session: Watched): void
  /** A session was ended here. */
  end(name: string): void
}

export function createEndedSessions(
  { findEnded, onEnded }: EndedSessionsDeps,
  refreshMs = 2_000,
): EndedSessions {
  const watched = new Map<string, Watched>()
  const closing = new AbortController()

  async function look(): Promise<void> {
    for (const [name, { endsAtMs }] of watched) if (endsAtMs <= Date.now()) watched.delete(name)
    if (watched.size === 0) return
    const ended = await findEnded([...watched.keys()]).catch(() => new Set<string>())
    for (const name of ended) end(name)
  }

  function end(name: string): void {
    const session = watched.get(name)
    watched.delete(name)
    if (session !== undefined) onEnded(session.digest)
  }

  async function everyNowAndThen(): Promise<void> {
    while (!closing.signal.aborted) {
      await sleep(refreshMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
      if (!closing.signal.aborted) await look()
    }
  }
  const over = everyNowAndThen()

  return {
    watch: (name, session) => void watched.set(name, session),
    end,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await over
    },
  }
}
