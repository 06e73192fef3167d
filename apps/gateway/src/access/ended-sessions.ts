/**
 * Sessions that somebody has logged out of at another gateway. Those that are let in here are looked up every `refreshMs`,
 * in one call, and not while there are none. While Redis is away they go on: as many gateways that have heard of an end
 * refuse them, and they end by themselves.
 */
import type { Logger } from '@sekali/process/log'
import { repeat } from './repeat.ts'

export interface EndedSessionsDeps {
  /** The names of the sessions that are let in here. */
  readonly sessions: () => Iterable<string>
  readonly findEnded: (names: readonly string[]) => Promise<ReadonlySet<string>>
  /** One of them was ended elsewhere. */
  readonly onEnded: (name: string) => void
  readonly log: Logger
}

export function watchEndedSessions(
  { sessions, findEnded, onEnded, log }: EndedSessionsDeps,
  refreshMs = 2_000,
): AsyncDisposable {
  let isBlind = false

  async function look(): Promise<void> {
    const names = [...sessions()]
    if (names.length === 0) return
    try {
      for (const name of await findEnded(names)) onEnded(name)
      if (isBlind) log.info('sessions can be looked up again')
      isBlind = false
    } catch (err) {
      // Said once, whatever it is: meanwhile nobody is logged out here by what they do elsewhere.
      if (!isBlind) log.warn({ err }, 'sessions cannot be looked up: those that are known go on')
      isBlind = true
    }
  }

  return repeat(refreshMs, look)
}
