/**
 * The doorbell says that a topic has news. It is a hint: pub/sub loses it when nobody listens, and nothing but
 * promptness depends on it, because consumers also look which topics have entries in flight, once a second.
 *
 * Each message wakes everybody who listens, which costs Redis some 5 µs each. So there is a channel for all consumers, and
 * one for each few topics (channels.ts), to which the two listen that are to take their turns. A ring goes where it wakes
 * fewer: to all where there are few consumers, or where it names topics of many channels.
 *
 * A message is topics' names. One that begins with `*` and the name of who rings says that anybody may take their turns at
 * once, one with `!` that a consumer of that name leaves. Neither is a topic's name, so consumers of the version before
 * channels pass over the word and take the topics. They listen to the channel for all alone, and so does a gateway of that
 * version ring there: whoever is alone in listening is rung for there.
 */
import { isTopicName, type TopicName } from '@sekali/core/event'
import { ask, askAll, type Broker } from '../redis/connect.ts'
import { doorbellChannel, doorbellChannelOf } from '../redis/keys.ts'
import { channelOf } from './channels.ts'
import { subscribe } from './subscribe.ts'

/** What is rung for in this time goes together, and the next ring comes so much later: each wakes consumers. */
const coalesceMs = 1
const pauseMs = 5
/** Those who are to listen to a channel: the one that takes its topics' turns, and the one that steps in. */
const hearersOfChannel = 2
/** How often one ring goes to all, whose answer is how many consumers there are. */
const countEveryMs = 5_000

/** A function that rings for a topic soon, and never fails. */
export function createDoorbell(broker: Broker): (topic: TopicName) => void {
  const ringing = new Set<TopicName>()
  const ringFor = createRing(broker)
  let rangAt = 0
  const ring = () => {
    rangAt = performance.now()
    const topics = [...ringing]
    ringing.clear()
    void ringFor(topics).catch(() => undefined) // a lost hint costs a second at most
  }
  return (topic) => {
    if (ringing.size === 0) {
      setTimeout(ring, Math.max(coalesceMs, rangAt + pauseMs - performance.now())).unref()
    }
    ringing.add(topic)
  }
}

/** A function that rings where it wakes fewer. It remembers how many consumers there are. */
function createRing(broker: Broker): (topics: readonly TopicName[]) => Promise<void> {
  let consumers = 0
  let countedAt = 0

  async function ringForAll(message: string): Promise<void> {
    countedAt = performance.now()
    consumers = await ask(broker, 'doorbell', (redis) => redis.publish(doorbellChannel(broker), message))
  }

  return async (topics) => {
    const isStale = performance.now() - countedAt > countEveryMs
    const channels = consumers > hearersOfChannel ? [...Map.groupBy(topics, channelOf)] : []
    const isWide = consumers <= hearersOfChannel * Math.max(1, channels.length)
    if (isStale || isWide) return await ringForAll(topics.join(' '))
    const heard = await publishTo(broker, channels)
    // Those who should listen have just died, or are of the version before channels.
    const unheard = channels.filter((_, index) => heard[index] === 0).flatMap(([, names]) => names)
    if (unheard.length > 0) await ringForAll(`${anybody} ${unheard.join(' ')}`)
  }
}

const anybody = '*'
const leaving = '!'

/** Resolves with how many heard each, or the `Error` that it failed with. */
const publishTo = (
  broker: Broker,
  channels: readonly (readonly [channel: number, words: readonly string[]])[],
): Promise<unknown[]> =>
  askAll(broker, 'doorbell', (redis) =>
    channels.map(([channel, words]) => redis.publish(doorbellChannelOf(broker, channel), words.join(' '))),
  )

export interface Doorbell extends AsyncDisposable {
  /** Which channels' topics are listened for, beside what is rung for all. */
  change(channels: readonly number[]): void
}

/**
 * Calls `onNews` with a topic's name whenever one has news, on a connection of its own that heals by itself. `isAnybodys`
 * is true when whoever hears it may take the topic's turn at once.
 */
export function listen(
  broker: Broker,
  onNews: (topic: TopicName, isAnybodys: boolean, by: string) => void,
  onLeft: (consumer: string) => void = () => undefined,
): Doorbell {
  const subscription = subscribe(broker, doorbellChannel(broker), (message) => {
    const words = message.split(' ')
    const [first = ''] = words
    const by = first.slice(1)
    if (first.startsWith(leaving)) onLeft(by)
    const isAnybodys = first.startsWith(anybody)
    // Anybody may publish there.
    for (const topic of words) if (isTopicName(topic)) onNews(topic as TopicName, isAnybodys, by)
  })
  return {
    change: (channels) => subscription.change(channels.map((channel) => doorbellChannelOf(broker, channel))),
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  }
}

/** Rings at once for topics that `consumer` leaves with news, because it is about to stop. */
export const passOn = (broker: Broker, topics: readonly TopicName[], consumer = ''): Promise<unknown> =>
  ask(broker, 'doorbell', (redis) =>
    redis.publish(doorbellChannel(broker), [`${leaving}${consumer}`, ...topics].join(' ')),
  )

/** Rings at once for topics that `consumer` cannot take soon: those who step in for it need not wait. */
export const handOver = (broker: Broker, topics: readonly TopicName[], consumer: string): Promise<unknown> =>
  publishTo(
    broker,
    [...Map.groupBy(topics, channelOf)].map(([channel, names]) => [
      channel,
      [`${anybody}${consumer}`, ...names],
    ]),
  )
