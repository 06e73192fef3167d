/**
 * Topics with news whose turns are another consumer's. As long as there are any, Redis is asked every 100 ms, for all at
 * once, how far they have come. A topic that has nothing in flight any more is forgotten. One that has stood still between
 * two looks is anybody's: its consumer has died, hangs or has too much to do. So nothing waits for one consumer longer than
 * 200 ms, whatever the list of consumers says.
 */
import type { Broker } from '@sekali/broker/connect'
import { readProgress, type TopicProgress } from '@sekali/broker/progress'
import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'

const lookMs = 100
/** Topics of one look; the others have theirs later. */
const lookedAtMax = 1_024

export interface Waiting extends Disposable {
  /** The topic has news, up to that id at least if it is given. */
  note(topic: TopicName, upTo?: Position): void
  /** This consumer takes the topic's turns itself now. */
  forget(topic: TopicName): void
}

export interface WaitingDeps {
  readonly broker: Broker
  /** Whether this consumer is to take the topic's turns: then it need not stand still for that. */
  readonly isMine: (topic: TopicName) => boolean
  /** Whether this consumer is to watch the topic for as long as it has something in flight. */
  readonly isWatched: (topic: TopicName) => boolean
  /** All of the topic is accounted for up to this id. */
  readonly onDone: (topic: TopicName, position: Position) => void
  /** The topic has something in flight, and it is for this consumer to take its turn. */
  readonly onDue: (topic: TopicName) => void
}

interface Waited {
  readonly upTo: Position | undefined
  /** Its position at the last look, if there was one. */
  readonly seen?: Position | 'none'
}

export function createWaiting({ broker, isMine, isWatched, onDone, onDue }: WaitingDeps): Waiting {
  const waited = new Map<TopicName, Waited>()
  let timer: NodeJS.Timeout | undefined

  const lookLater = () => {
    timer ??= setTimeout(() => void look(), lookMs).unref()
  }

  async function look(): Promise<void> {
    const topics = [...waited.keys().take(lookedAtMax)]
    try {
      if (topics.length > 0) for (const one of await readProgress(broker, topics)) onLook(one)
    } catch {
      waited.clear() // without Redis there are no turns; once it is back, sweeps find the topics
    }
    timer = undefined
    if (waited.size > 0) lookLater()
  }

  function onLook(progress: TopicProgress): void {
    const { topic, position } = progress
    const before = waited.get(topic)
    if (before === undefined) return // taken meanwhile
    waited.delete(topic)
    if (!isInFlight(progress, before)) {
      if (position !== undefined) onDone(topic, position)
      return
    }
    const seen = position ?? 'none'
    if (isMine(topic) || before.seen === seen) onDue(topic)
    // Somebody is at it. It goes to the end, so that all are looked at.
    else if (before.seen === undefined || isWatched(topic)) waited.set(topic, { ...before, seen })
  }

  return {
    note(topic, upTo) {
      const before = waited.get(topic)
      waited.set(topic, { ...before, upTo: before?.upTo ?? upTo })
      lookLater()
    },
    forget: (topic) => void waited.delete(topic),
    [Symbol.dispose]() {
      clearTimeout(timer)
      waited.clear()
    },
  }
}

function isInFlight({ mark, position }: TopicProgress, { upTo }: Waited): boolean {
  if (upTo === undefined || mark !== undefined) return mark !== undefined && mark !== position
  // Entries that somebody else put into the stream have no mark.
  return position === undefined || comparePositions(position, upTo) < 0
}
