import { pollMs, usePolled } from '../http/poll.ts'
import { readSession, session } from '../session/session.ts'

/** Finds out who one is, and goes on asking until somebody answers. What needs to know it is not offered before. */
export function SessionWatch() {
  usePolled('session', readSession, { everyMs: session.value === undefined ? pollMs : null })
  return null
}
