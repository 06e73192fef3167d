import type { TurnRead } from '@sekali/broker/account'
import type { Broker } from '@sekali/broker/connect'
import { takeTraces } from '@sekali/broker/traces'
import type { Logger } from '@sekali/process/log'
import type { Tracing } from '@sekali/process/tracing'

/**
 * Records the turns that stored events of requests which are traced, and links them. After COMMIT and beside the next turn:
 * nothing waits for a trace. Never rejects.
 */
export async function traceTurns(
  tracing: Tracing,
  { broker, log }: { readonly broker: Broker; readonly log: Logger },
  turns: readonly TurnRead[],
  startedAt: number,
): Promise<void> {
  try {
    for (const { account, packs, entries } of turns) {
      const traceparents = await takeTraces(broker, account.topic, packs)
      if (traceparents.length === 0) continue
      tracing.recordTurn({ topic: account.topic, events: entries.length, startedAt, traceparents })
    }
  } catch (error) {
    log.debug({ err: error }, 'traces could not be read')
  }
}
