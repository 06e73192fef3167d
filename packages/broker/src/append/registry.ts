/**
 * What is done for a topic on every connection before anything is appended to it: its name is put where consumers find
 * it, and it is vouched for (see loss/vouch.ts). A Redis that came back may have lost both the name and the newest entries.
 */
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import type { Acknowledged } from '../loss/acknowledged.ts'
import { readVouched, vouchCommand } from '../loss/vouch.ts'
import { askAll, type Broker } from '../redis/connect.ts'
import { topicsKey } from '../redis/keys.ts'
import { confirmation, readConfirmation } from './replicas.ts'

/** Each carries a script. */
const topicsPerWrite = 100
const retryMs = 1_000
/**
 * A topic to which nothing was appended for so long is registered again first: its stream may have been retired
 * meanwhile, and made anew by another gateway (see turn/retire.ts), and what is appended to that must be vouched for as such.
 * Shorter than streams are quiet before they are retired.
 */
const freshMs = 30_000

export interface Registry {
  readonly has: (topic: TopicName) => boolean
  /** Resolves with the topics that could not be registered, and why. Never rejects. */
  readonly register: (topics: readonly TopicName[]) => Promise<Map<TopicName, unknown>>
  /** Something was appended to the topic. */
  readonly note: (topic: TopicName) => void
  /** Has it done again before the next append. */
  readonly forget: (topic: TopicName) => void
  /** Has it done again for all of them. */
  readonly forgetAll: () => void
}

/** `onLoss` gets the topics that were found to miss entries. */
export function createRegistry(
  broker: Broker,
  acknowledged: Acknowledged,
  onLoss: (topic: TopicName) => void,
): Registry {
  const { redis } = broker
  /** When each was registered or appended to last. */
  const registered = new Map<TopicName, number>()
  redis.on('close', () => registered.clear())
  redis.on('ready', () => void registerKnown())

  async function register(topics: readonly TopicName[]): Promise<Map<TopicName, unknown>> {
    const failed = new Map<TopicName, unknown>()
    try {
      const [names, ...replies] = await askAll(broker, 'registration', () => [
        redis.sadd(topicsKey(broker), ...topics),
        ...topics.map((topic) => vouchCommand(broker, redis, topic, acknowledged.of(topic), 'whole')),
        ...confirmation(broker, redis, true),
      ])
      const unconfirmed = readConfirmation(broker, replies)
      for (const [index, topic] of topics.entries()) {
        const reply = replies[index]
        if (reply instanceof Error) {
          failed.set(topic, reply)
          continue
        }
        // Also when a full Redis has refused the names: what it says is lost it says once.
        const stream = readVouched(broker, topic, reply)
        if (unconfirmed === undefined) acknowledged.noteCount(topic, stream)
        if (stream && stream.lost > 0) onLoss(topic)
        const failure = names instanceof Error ? names : unconfirmed
        if (failure !== undefined) failed.set(topic, failure)
        else registered.set(topic, performance.now())
      }
    } catch (error) {
      for (const topic of topics) failed.set(topic, error)
    }
    return failed
  }

  /** Says at once what is missing, also of topics to which nothing is appended any more. */
  async function registerKnown(): Promise<void> {
    const rest = acknowledged.topics().filter((topic) => !registered.has(topic))
    for (const chunk of chunksOf(rest, topicsPerWrite)) {
      const failed = await register(chunk)
      if (failed.size === 0) continue
      // Names that a full Redis has refused, say. What was counted comes last next time, so all have their
      // turn. Without a connection the next one tries again.
      if (redis.status === 'ready') setTimeout(() => void registerKnown(), retryMs).unref()
      return
    }
  }

  return {
    has: (topic) => performance.now() - (registered.get(topic) ?? Number.NEGATIVE_INFINITY) < freshMs,
    register,
    // Not if the connection was lost meanwhile: on the next one it has to be registered again.
    note: (topic) => void (registered.has(topic) && registered.set(topic, performance.now())),
    forget: (topic) => void registered.delete(topic),
    forgetAll: () => registered.clear(),
  }
}
