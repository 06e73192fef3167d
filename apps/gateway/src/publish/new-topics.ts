/**
 * Decides whether topics may be made. A topic is for ever, and costs Redis, PostgreSQL and everybody who reads all of them.
 * So there are `max` at most; a client makes some at once, then a few a second, and never most of what is left.
 *
 * Topics that exist are not concerned. Their names are in Redis; what Redis has lost PostgreSQL still knows. While
 * PostgreSQL is away, a topic that Redis has lost counts as a new one.
 */
import type { Broker } from '@sekali/broker/connect'
import { addNames, findNewNames } from '@sekali/broker/names'
import { ClientLimit, TopicLimit, TopicRate } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readNames } from '@sekali/store/names'
import { shareOfFree } from '../clients/budget.ts'
import type { Client } from '../clients/clients.ts'
import { within } from '../clients/deadline.ts'
import { createRate } from '../clients/rate.ts'
import { type TopicLimits, topicLimits } from './topic-limits.ts'

export interface NewTopics {
  /**
   * Makes sure that the topics of events may be, all of them. Rejects with `TopicLimit`, `TopicRate`, `ClientLimit` or
   * `BrokerUnavailable`; then none was made. Nothing to wait for when all are known: nearly always.
   */
  admit(client: Client, events: readonly Pick<Event, 'topic'>[]): Promise<void> | undefined
  /** The topic was dropped. */
  forget(topic: TopicName): void
}

/** PostgreSQL may be away: then it is not waited for. */
const storeMs = 500

export function createNewTopics(
  { broker, store, log }: { readonly broker: Broker; readonly store: Store; readonly log: Logger },
  { max, rate: rateLimit }: TopicLimits = topicLimits,
): NewTopics {
  const rate = createRate(rateLimit)
  /** Topics that are there. */
  const known = new Set<TopicName>()
  /** How many each client has made, as far as this gateway knows. */
  const madeBy = new Map<Client, number>()
  // A client's works run one after the other: so requests that bring the same new topic at once make it once, and each
  // is charged before the next is looked at.
  const inOrder = createOrder()

  async function makeAll(client: Client, events: readonly Pick<Event, 'topic'>[]): Promise<void> {
    const unknown = unknownOf(events)
    if (unknown.length > 0) await make(client, [...new Set(unknown.map(({ topic }) => topic))])
  }

  const unknownOf = (events: readonly Pick<Event, 'topic'>[]) =>
    events.filter(({ topic }) => !known.has(topic))

  async function make(client: Client, unknown: readonly TopicName[]): Promise<void> {
    const absent = await findNewNames(broker, unknown)
    if (absent.names.length > 0) {
      const stored = await within(storeMs, log, readNames(store, absent.names))
      const names = absent.names.filter((name) => !stored?.known.has(name))
      if (names.length > 0) await makeNew(client, names, Math.max(absent.count, stored?.count ?? 0))
    }
    for (const name of unknown) known.add(name)
  }

  async function makeNew(client: Client, names: readonly TopicName[], there: number): Promise<void> {
    const made = (madeBy.get(client) ?? 0) + names.length
    const left = max - there - names.length
    if (left >= 0 && made > rateLimit.burst && made > shareOfFree * left) {
      throw new ClientLimit('most of the topics that there may be are of one client')
    }
    const waitSeconds = rate.take(client, names.length)
    if (waitSeconds > 0) throw new TopicRate(waitSeconds)
    try {
      if (!(await addNames(broker, names, { max, there }))) throw new TopicLimit(`there are ${max} topics`)
    } catch (error) {
      rate.giveBack(client, names.length)
      throw error
    }
    madeBy.set(client, made)
  }

  return {
    admit: (client, events) =>
      events.every(({ topic }) => known.has(topic))
        ? undefined
        : inOrder(client, () => makeAll(client, events)),
    forget: (topic) => void known.delete(topic),
  }
}

/** Runs the works of each client one after the other, whatever becomes of those before. */
function createOrder(): (client: Client, work: () => Promise<void>) => Promise<void> {
  /** The last work of each client. */
  const last = new Map<Client, Promise<void>>()
  return (client, work) => {
    const before = last.get(client) ?? Promise.resolve()
    const done = before
      .catch(() => undefined) // its own caller handles that
      .then(work)
      .finally(() => {
        if (last.get(client) === done) last.delete(client)
      })
    last.set(client, done)
    return done
  }
}
