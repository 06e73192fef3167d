import { type Broker, untilConnected } from '@sekali/broker/connect'
import { checkBroker } from '@sekali/broker/health'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { checkStore } from '@sekali/store/health'
import { reply } from './reply.ts'
import { within } from './within.ts'

export interface ReadyDeps {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
  /** Aborted once this process is to leave. */
  readonly signal: AbortSignal
}

/** GET /healthz: this process serves. Nothing else is asked: a restart would not cure what it depends on. */
export function healthz(): Response {
  return reply(200, '{"status":"ok"}')
}

/**
 * GET /readyz: this gateway can take events, and keep them. That hangs on Redis alone; publishing goes on while
 * PostgreSQL is away, so its state is told but does not decide.
 */
export function readyz({ broker, store, log, signal }: ReadyDeps, checkMs = 1_500) {
  return async (): Promise<Response> => {
    const [health, stored] = await Promise.all([
      within(checkMs, log, checkBroker(broker)),
      within(
        checkMs,
        log,
        checkStore(store).then(() => true),
      ),
    ])
    const problems = health?.problems ?? []
    const ready = health !== undefined && problems.length === 0 && !signal.aborted
    const body = {
      status: ready ? 'ready' : signal.aborted ? 'draining' : 'not_ready',
      broker: health === undefined ? 'unavailable' : problems.length === 0 ? 'ok' : 'unfit',
      store: stored ? 'ok' : 'unavailable',
      problems,
      warnings: health?.warnings ?? [],
    }
    return reply(ready ? 200 : 503, JSON.stringify(body))
  }
}

/** Says once, as soon as Redis answers, which of its settings do not carry the promises. Never rejects. */
export async function reportFitness(broker: Broker, log: Logger, waitMs = 2_000): Promise<void> {
  try {
    await untilConnected(broker, waitMs)
    const { problems, warnings } = await checkBroker(broker)
    for (const text of problems) log.error(`redis: ${text}`)
    for (const text of warnings) log.warn(`redis: ${text}`)
  } catch (err) {
    log.warn({ err }, 'settings of redis not checked')
  }
}
