import type { TurnRead } from '@sekali/broker/account'
import type { Broker } from '@sekali/broker/connect'
import { type Packs, takeTraces } from '@sekali/broker/traces'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { Tracing } from '@sekali/process/tracing'

/**
 * Traces are looked for this often, as often as spans are sent. Beside each turn, the look cost a consumer a quarter of what
 * it does.
 */
const lookEveryMs = 1_000
/** Or as soon as a topic's turns had so many packs. Of more than about 256 Redis keeps no traces. */
const packsMax = 128
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
  const packsOf = new Map<TopicName, number>()
  let count = 0
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const noted = waiting
    waiting = new Map()
    packsOf.clear()
    count = 0
    await record(noted).catch((error: unknown) => log.debug({ err: error }, 'traces could not be read'))
  }

  async function record(noted: ReadonlyMap<TopicName, readonly TracedTurn[]>): Promise<void> {
    const traces = await takeTraces(broker, noted)
    for (const [topic, turns] of noted) {
      const traceparents = traces.get(topic) ?? []
      for (const [index, { events, startedAt }] of turns.entries()) {
        const of = traceparents[index] ?? []
        if (of.length > 0) tracing.recordTurn({ topic, events, startedAt, traceparents: of })
      }
    }
  }

  const lookSoon = () => {
    if (count > 0) looking ??= look().finally(() => (looking = undefined))
  }
  const timer = setInterval(lookSoon, lookEveryMs)

  return {
    note(turns, startedAt) {
      for (const { account, packs, entries } of turns) {
        const [first, last] = [packs[0] as Position | undefined, packs.at(-1) as Position | undefined]
        if (first === undefined || last === undefined || count === turnsMax) continue
        count += 1
        const { topic } = account
        const before = waiting.get(topic)
        const turn = { first, last, events: entries.length, startedAt }
        if (before === undefined) waiting.set(topic, [turn])
        else before.push(turn)
        const packsSoFar = (packsOf.get(topic) ?? 0) + packs.length
        packsOf.set(topic, packsSoFar)
        if (packsSoFar >= packsMax) lookSoon()
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
      await look()
    },
  }
}
