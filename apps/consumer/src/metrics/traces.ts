import type { TurnRead } from '@sekali/broker/account'
import type { Broker } from '@sekali/broker/connect'
import { type Packs, takeTraces } from '@sekali/broker/traces'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { Tracing } from '@sekali/process/tracing'

/** Traces are looked for this often: beside each turn, the look cost a consumer a quarter of what it does. */
const lookEveryMs = 100
/** Of turns that wait for the look; the traces of more are not told. */
const turnsMax = 1_000

interface TracedTurn extends Packs {
  readonly events: number
  readonly startedAt: number
}

/** Records turns that stored events of requests which are traced. Nothing waits for a trace. */
export interface TurnTraces extends AsyncDisposable {
  /** Notes turns that have been committed. */
  readonly note: (turns: readonly TurnRead[], startedAt: number) => void
}

export function createTurnTraces(tracing: Tracing, broker: Broker, log: Logger): TurnTraces {
  let waiting = new Map<TopicName, TracedTurn[]>()
  let count = 0
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const noted = waiting
    waiting = new Map()
    count = 0
    await Promise.all([...noted].map(([topic, turns]) => record(topic, turns))).catch((error: unknown) =>
      log.debug({ err: error }, 'traces could not be read'),
    )
  }

  async function record(topic: TopicName, turns: readonly TracedTurn[]): Promise<void> {
    const traceparents = await takeTraces(broker, topic, turns)
    for (const [index, { events, startedAt }] of turns.entries()) {
      const of = traceparents[index] ?? []
      if (of.length > 0) tracing.recordTurn({ topic, events, startedAt, traceparents: of })
    }
  }

  const timer = setInterval(() => {
    if (count > 0) looking ??= look().finally(() => (looking = undefined))
  }, lookEveryMs)

  return {
    note(turns, startedAt) {
      for (const { account, packs, entries } of turns) {
        const [first, last] = [packs[0] as Position | undefined, packs.at(-1) as Position | undefined]
        if (first === undefined || last === undefined || count === turnsMax) continue
        count += 1
        const before = waiting.get(account.topic)
        const turn = { first, last, events: entries.length, startedAt }
        if (before === undefined) waiting.set(account.topic, [turn])
        else before.push(turn)
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
      await look()
    },
  }
}
