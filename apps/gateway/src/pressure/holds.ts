import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import { type Bounds, fillOf, type Load } from './load.ts'
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

  function hold(topic: TopicName, { known: { events, bytes } }: Load, isGuess: boolean): Hold {
    const held = holds.get(topic)
    if (held !== undefined) return held
    const begun = { sinceMs: now(), drained: createRate(), isGuess }
    holds.set(topic, begun)
    log.warn({ topic, events, bytes }, 'topic is full: publishing to it is refused')
    return begun
  }

  return {
    topics: holds,

    guess(topic, load) {
      if (fillOf(load, bounds) >= 1) hold(topic, load, true)
    },

    judge(topic, load) {
      const fill = fillOf(load, bounds)
      if (fill >= 1) hold(topic, load, false).isGuess = false
      const held = holds.get(topic)
      if (held === undefined) return
      if (load.account !== null) held.drained.note(load.account.accounted, now())
      if (fill >= 1 || (fill >= reopenAt && !held.isGuess)) return
      holds.delete(topic)
      log.info({ topic }, 'topic has room again')
    },

    waitSeconds(topic, load, random) {
      const held = holds.get(topic)
      if (held === undefined) return 0
      const toDrain = load.known.events * Math.max(0, 1 - reopenAt / fillOf(load, bounds))
      return waitSeconds(toDrain, held.drained.perSecond(), now() - held.sinceMs, random)
    },
  }
}
