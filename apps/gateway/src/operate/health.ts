import { reply } from '../http/reply.ts'
import type { Readiness } from './readiness.ts'

export interface ReadyDeps {
  readonly readiness: Readiness
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

/** GET /healthz: this process serves. Nothing else is checked: a restart would not cure what it depends on. */
export function healthz(): Response {
  return reply(200, '{"status":"ok"}')
}

/**
 * GET /readyz: this gateway can take events, and keep them. Redis alone decides. Publishing goes on while PostgreSQL is
 * away, so its state is reported and does not decide.
 */
export function readyz({ readiness, signal }: ReadyDeps) {
  return async (): Promise<Response> => {
    const { broker, store, problems, warnings } = await readiness.check()
    const ready = problems.length === 0 && !signal.aborted
    const status = ready ? 'ready' : signal.aborted ? 'draining' : 'not_ready'
    return reply(ready ? 200 : 503, JSON.stringify({ status, broker, store, problems, warnings }))
  }
}
