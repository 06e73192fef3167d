import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import { type Bounds, fillOf, foundFillOf, type Load } from './load.ts'
import { createRate, type Rate, waitSeconds } from './wait.ts'

/** A full topic takes events again below this share of its bounds: not one by one, as consumers make room. */
const reopenAt = 7 / 8

/** Why a topic takes no events. */
interface Hold {
  readonly sinceMs: number
  readonly drained: Rate
  /** Whether no look has confirmed it yet: a gateway counts only what it appends itself. */
  isGuess: boolean
}

/** The topics that take no events. */
export interface Holds {
  readonly topics: ReadonlyMap<TopicName, unknown>
  /** This gateway has appended so much that the topic should be full. */
  guess(topic: TopicName, load: Load): void
  /** A look has found how full it is. */
  judge(topic: TopicName, load: Load): void
  /** After how long it should have room. */
  waitSeconds(topic: TopicName, load: Load, random: () => number): number
}

export function createHolds(bounds: Bounds, log: Logger, now: () => number): Holds {
  const holds = new Map<TopicName, Hold>()

  function hold(topic: TopicName): Hold {
    const held = holds.get(topic) ?? { sinceMs: now(), drained: createRate(), isGuess: true }
    holds.set(topic, held)
    return held
  }

  function release(topic: TopicName, { isGuess }: Hold): void {
    holds.delete(topic)
    if (!isGuess) log.info({ topic }, 'topic has room again')
  }

  return {
    topics: holds,

    guess(topic, load) {
      if (fillOf(load, bounds) >= 1) hold(topic)
    },

    judge(topic, load) {
      const fill = fillOf(load, bounds)
      const held = fill >= 1 ? hold(topic) : holds.get(topic)
      if (held === undefined) return
      if (load.account !== null) held.drained.note(load.account.accounted, now())
      if (held.isGuess && foundFillOf(load, bounds) >= 1) {
        held.isGuess = false
        log.warn({ topic, ...load.known }, 'topic is full: publishing to it is refused')
      } else if (fill < (held.isGuess ? 1 : reopenAt)) release(topic, held)
    },

    waitSeconds(topic, load, random) {
      const held = holds.get(topic)
      if (held === undefined) return 0
      const toDrain = load.known.events * Math.max(0, 1 - reopenAt / fillOf(load, bounds))
      return waitSeconds(toDrain, held.drained.perSecond(), now() - held.sinceMs, random)
    },
  }
}
