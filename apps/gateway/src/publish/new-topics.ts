/**
 * Decides whether topics may be made. A topic is for ever, and costs Redis, PostgreSQL and everybody who reads all of them.
 * So there are `max` at most; a client makes some at once, then a few a second, and never most of what is left.
 *
 * Topics that exist are not concerned. Their names are in Redis; what Redis has lost PostgreSQL still knows. While
 * PostgreSQL is away, a topic that Redis has lost counts as a new one, unless this gateway has seen it. A topic that was
 * dropped no longer counts for the client that made it; other gateways than the one that dropped it may take half a minute
 * to see that it is gone.
 */
import type { Broker } from '@sekali/broker/connect'
import { addNames } from '@sekali/broker/names'
import { ClientLimit, TopicLimit, TopicRate } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { shareOfFree } from '../clients/budget.ts'
import type { Client } from '../clients/clients.ts'
import { createRate } from '../clients/rate.ts'
import { createKnownTopics } from './known-topics.ts'
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

export function createNewTopics(
  deps: { readonly broker: Broker; readonly store: Store; readonly log: Logger },
  { max, rate: rateLimit }: TopicLimits = topicLimits,
  now?: () => number,
): NewTopics {
  const rate = createRate(rateLimit, now)
  const known = createKnownTopics(deps, now)
  // A client's works run one after the other: so requests that bring the same new topic at once make it once, and each
  // is charged before the next is looked at.
  const inOrder = createOrder()

  async function makeAll(client: Client, events: readonly Pick<Event, 'topic'>[]): Promise<void> {
    if (known.isStale()) await known.forgetGone()
    const unknown = new Set(events.map(({ topic }) => topic).filter((topic) => !known.has(topic)))
    if (unknown.size > 0) await make(client, [...unknown])
  }

  async function make(client: Client, unknown: readonly TopicName[]): Promise<void> {
    const { names, count } = await known.findAbsent(unknown)
    if (names.length > 0) await makeNew(client, names, count)
    known.add(unknown)
  }

  async function makeNew(client: Client, names: readonly TopicName[], there: number): Promise<void> {
    const left = max - there - names.length
    const takesMost = () => {
      const made = known.madeBy(client) + names.length
      return left >= 0 && made > rateLimit.burst && made > shareOfFree * left
    }
    if (takesMost()) await known.forgetGone()
    if (takesMost()) throw new ClientLimit('most of the topics that there may be are of one client')
    const waitSeconds = rate.take(client, names.length)
    if (waitSeconds > 0) throw new TopicRate(waitSeconds)
    try {
      const added = await addNames(deps.broker, names, { max, there })
      if (!added) throw new TopicLimit(`there are ${max} topics`)
    } catch (error) {
      rate.giveBack(client, names.length)
      throw error
    }
    known.add(names, client)
    // More than there may be: other gateways have dropped some. Whether Redis answers or not, the new ones are made.
    if (known.size() > max) await known.forgetGone().catch(() => undefined)
  }

  return {
    admit: (client, events) =>
      !known.isStale() && events.every(({ topic }) => known.has(topic))
        ? undefined
        : inOrder(client, () => makeAll(client, events)),
    forget: known.forget,
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
