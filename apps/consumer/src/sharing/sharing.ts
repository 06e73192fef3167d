/**
 * Shares the topics out among the consumers, so that not all of them try each topic. A topic has a preferred consumer
 * (places.ts), which takes its turns at once. The others leave them to it, and step in when it does not come (waiting.ts),
 * or when it says itself that it has too much to do. A topic that this consumer has stepped in for twice in a row is as its
 * own for a while: until the list of consumers knows that the other one is gone.
 *
 * Nothing but promptness depends on this: the lock of the topic's row decides who has its turn, and what stands still from
 * one sweep to the next is anybody's.
 */
import { channelsCount } from '@sekali/broker/channels'
import type { Broker } from '@sekali/broker/connect'
import { handOver, listen, passOn } from '@sekali/broker/doorbell'
import { type Announced, type Presence, presentIn, readAnnounced } from '@sekali/broker/presence'
import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import type { WorkQueue } from '@sekali/process/work-queue'
import { createPlaces } from './places.ts'
import { createWaiting } from './waiting.ts'

export interface Sharing extends AsyncDisposable {
  /** The topic has news, up to that id at least if it is given. Queues it, now or when nobody else takes its turn. */
  offer(topic: TopicName, upTo?: Position): void
  /** A sweep has found the topic in flight. Unless it has a place there, it is concerned only if that was so before. */
  offerMarked(topic: TopicName, wasBefore: boolean): void
  /** Others had the topic's turn when this consumer tried. */
  onHeld(topic: TopicName): void
  /** Topics have to wait for the turn of another one. */
  onCrowded(topics: readonly TopicName[]): void
  /** Takes note of which consumers there are; if nobody knows, reads it. Rejects with `BrokerUnavailable`. */
  look(announced?: Announced): Promise<void>
  /** Leaves these topics, and its place, to the others. Rejects with `BrokerUnavailable`. */
  leave(topics: readonly TopicName[]): Promise<unknown>
}

/** Longer than a consumer that has died is on the list of those that are there: 5 s, see broker/operate/presence.ts. */
const steppedInMs = 6_000
/** Between two times that this consumer says that it has too much to do, and how many topics it then names. */
const crowdedEveryMs = 50
const crowdedMax = 8

export interface SharingDeps {
  readonly broker: Broker
  readonly consumer: string
  readonly log: Logger
}

export function createSharing(
  { broker, consumer, log }: SharingDeps,
  queue: Pick<WorkQueue<TopicName>, 'add'>,
  caughtUp: Map<TopicName, Position>,
): Sharing {
  const places = createPlaces(consumer)
  /** Topics that this consumer has stepped in for: until when, and whether they are as its own. */
  const steppedIn = new Map<TopicName, { readonly until: number; readonly isAdopted: boolean }>()
  let crowdedAt = Number.NEGATIVE_INFINITY

  const isMine = (topic: TopicName): boolean => {
    if (places.of(topic) === 'preferred') return true
    const { isAdopted, until } = steppedIn.get(topic) ?? { isAdopted: false, until: 0 }
    return isAdopted && until > performance.now()
  }

  function take(topic: TopicName): void {
    waiting.forget(topic)
    queue.add(topic)
  }

  function stepIn(topic: TopicName): void {
    const now = performance.now()
    // Once is what happens to a consumer that is slow for a moment.
    const isAdopted = (steppedIn.get(topic)?.until ?? 0) > now
    steppedIn.set(topic, { until: now + steppedInMs, isAdopted })
    log.debug({ topic, isAdopted }, 'stepping in for the consumer of a topic')
    queue.add(topic)
  }

  const waiting = createWaiting({
    broker,
    isMine,
    isWatched: (topic) => places.of(topic) === 'deputy',
    onDone(topic, position) {
      const known = caughtUp.get(topic)
      if (known === undefined || comparePositions(known, position) < 0) caughtUp.set(topic, position)
    },
    onDue: (topic) => (isMine(topic) ? queue.add(topic) : stepIn(topic)),
  })

  function onNews(topic: TopicName, isAnybodys: boolean, by: string): void {
    if (isMine(topic) || (isAnybodys && by !== consumer)) take(topic)
    else if (places.of(topic) === 'deputy') waiting.note(topic)
  }

  const doorbell = listen(broker, onNews, (left) => {
    if (places.remove(left)) doorbell.change(places.channels())
  })
  doorbell.change(places.channels())

  return {
    offer(topic, upTo) {
      if (isMine(topic)) take(topic)
      else waiting.note(topic, upTo)
    },
    offerMarked(topic, wasBefore) {
      if (isMine(topic)) take(topic)
      else if (wasBefore || places.of(topic) === 'deputy') waiting.note(topic)
    },
    onHeld(topic) {
      steppedIn.delete(topic)
      if (places.of(topic) !== 'none') waiting.note(topic)
    },
    onCrowded(topics) {
      const now = performance.now()
      if (places.isAlone || now - crowdedAt < crowdedEveryMs) return
      crowdedAt = now
      const own = topics.filter((topic) => places.of(topic) === 'preferred').slice(0, crowdedMax)
      if (own.length > 0) void handOver(broker, own, consumer).catch(() => undefined) // it is a hint
    },
    async look(announced) {
      const there = presentIn(announced ?? (await readAnnounced(broker)))
      if (places.update(there.filter(isSharing).map(({ name }) => name))) doorbell.change(places.channels())
      const now = performance.now()
      for (const [topic, { until }] of steppedIn) if (until < now) steppedIn.delete(topic)
    },
    leave: (topics) => passOn(broker, topics, consumer),
    async [Symbol.asyncDispose]() {
      waiting[Symbol.dispose]()
      await doorbell[Symbol.asyncDispose]()
    },
  }
}

/** A consumer of the version before channels is none: it takes what it finds, and hears no channel. */
const isSharing = ({ channels }: Presence): boolean => channels === channelsCount
