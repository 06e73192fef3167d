/** An endpoint's turns, and what a failed one leaves to be done by the next. */
import { randomBytes } from 'node:crypto'
import { SekaliError } from '@sekali/core/errors'
import { backoff } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import type { PushTarget } from '@sekali/store/push-dispatch'
import { takePushTurn } from '@sekali/store/push-turn'
import type { JudgeOptions, PushTurn } from '@sekali/store/push-types'
import { grantToken } from '@sekali/store/subscription-token'
import { webhookLimits } from '@sekali/webhook/limits'
import { dispatcherLimits as limits } from '../limits.ts'
import type { DispatchMetrics } from '../metrics/attempts.ts'
import { type Outcome, type Outcomes, settled } from './outcomes.ts'
import type { Room } from './slots.ts'

export interface TurnsDeps {
  readonly store: Store
  readonly log: Logger
  readonly judge: JudgeOptions
  readonly metrics: DispatchMetrics
  /** Who this is, for people who look. */
  readonly worker: string
}

export interface Turns {
  /** Milliseconds before another one makes sense; 0 if it does. */
  waitMs(): number
  /** Resolves with what it has handed out; `undefined` where PostgreSQL did not answer. Never rejects. */
  take(target: PushTarget, room: Room): Promise<PushTurn | undefined>
}

export function createTurns({ store, log, judge, metrics, worker }: TurnsDeps, outcomes: Outcomes): Turns {
  let failures = 0
  let retryAt = 0

  function onFailure(error: unknown, target: PushTarget, taken: readonly Outcome[], grant?: Buffer): void {
    if (!(error instanceof SekaliError)) log.error({ subscription: target.name, err: error }, 'turn failed')
    metrics.onTurnFailure(error)
    failures += 1
    const ms = backoff(failures)
    retryAt = performance.now() + ms
    const { id: subscription, generation } = target
    // It may have handed out events that nobody has sent: given back, they have cost no attempt.
    const lost: readonly Outcome[] =
      grant === undefined ? [] : [{ token: grantToken({ grant, subscription, generation }), do: 'release' }]
    outcomes.putBack([...taken, ...lost], ms)
  }

  return {
    waitMs: () => Math.max(0, retryAt - performance.now()),
    async take(target, room) {
      const taken = outcomes.take()
      const grant = randomBytes(16)
      const { turnBytesMax: bytesMax } = limits
      const { arrayBytesMax } = webhookLimits
      const { name, id, version } = target
      const asked = {
        name,
        target: { id, version },
        outcomes: settled(taken),
        ...room,
        bytesMax,
        arrayBytesMax,
      }
      try {
        const turn = await takePushTurn(store, { ...asked, worker, grant, judge })
        failures = 0
        retryAt = 0
        return turn
      } catch (error) {
        onFailure(error, target, taken, room.max > 0 ? grant : undefined)
        return undefined
      }
    },
  }
}
