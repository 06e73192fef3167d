/** What the log says of sessions: whose they are and where from, never the cookie. */
import type { IncomingMessage } from 'node:http'
import type { Logger } from '@sekali/process/log'
import type { Clients } from '../clients/clients.ts'
import { createRate } from '../clients/rate.ts'

export interface SessionLog {
  /** `key` is an id; of a session that is refused, the one that it names. */
  say(level: 'info' | 'warn', message: string, line: SessionLine): void
}

interface SessionLine {
  readonly key: string
  readonly request: IncomingMessage
  readonly err?: unknown
}

/** Lines of one client: whoever tries again and again must not fill the log. */
const lineRate = { burst: 20, perSecond: 0.2 }

export function createSessionLog(log: Logger, clients: Pick<Clients, 'of'>): SessionLog {
  const rate = createRate(lineRate)
  return {
    say(level, message, { request, ...line }) {
      const client = clients.of(request)
      if (rate.take(client, 1) === 0) log[level]({ ...line, client }, message)
    },
  }
}
