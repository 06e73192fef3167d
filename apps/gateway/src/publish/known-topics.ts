import type { Broker } from '@sekali/broker/connect'
import { findNewNames } from '@sekali/broker/names'
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readNames } from '@sekali/store/names'
import type { Client } from '../clients/clients.ts'
import { within } from '../clients/deadline.ts'

/** The topics that this gateway has seen, and who made them here. Another gateway may have dropped them since. */
export interface KnownTopics {
  has(topic: TopicName): boolean
  /** Those of the names that no topic has, and how many topics there are. Rejects with `BrokerUnavailable`. */
  findAbsent(names: readonly TopicName[]): Promise<Absent>
  /** The topics are there; `maker` made them, if it is given. */
  add(names: readonly TopicName[], maker?: Client): void
  forget(topic: TopicName): void
  size(): number
  /** How many of the topics this client has made. */
  madeBy(client: Client): number
  /** Whether it is time to look which topics are gone. */
  isStale(): boolean
  /** Forgets the topics that are gone. It looks once a second at most. Rejects with `BrokerUnavailable`. */
  forgetGone(): Promise<void>
}

interface Absent {
  readonly names: readonly TopicName[]
  /** How many topics there are, at least. */
  readonly count: number
}

/** PostgreSQL may be away: then it is not waited for. */
const storeMs = 500
const staleMs = 30_000
const lookAgainMs = 1_000
const namesPerLook = 1_000

export function createKnownTopics(
  { broker, store, log }: { readonly broker: Broker; readonly store: Store; readonly log: Logger },
  now = () => performance.now(),
): KnownTopics {
  /** Each topic with its maker, if this gateway knows one. */
  const known = new Map<TopicName, Client | undefined>()
  let lookedAt = now() - lookAgainMs

  /** Redis has the names, PostgreSQL those that Redis has lost. While it is away, what was there is there. */
  async function findAbsent(names: readonly TopicName[]): Promise<Absent> {
    const absent = await findNewNames(broker, names)
    if (absent.names.length === 0) return absent
    const stored = await within(storeMs, log, readNames(store, absent.names))
    const isThere = (name: TopicName) => (stored ? stored.known.has(name) : known.has(name))
    return {
      names: absent.names.filter((name) => !isThere(name)),
      count: Math.max(absent.count, stored?.count ?? 0),
    }
  }

  return {
    has: (topic) => known.has(topic),
    findAbsent,
    add(names, maker) {
      for (const name of names) known.set(name, maker ?? known.get(name))
    },
    forget: (topic) => void known.delete(topic),
    size: () => known.size,
    madeBy: (client) => known.values().reduce((sum, maker) => sum + Number(maker === client), 0),
    isStale: () => known.size > 0 && now() - lookedAt >= staleMs,
    async forgetGone() {
      if (now() - lookedAt < lookAgainMs) return
      lookedAt = now()
      for (const chunk of chunksOf([...known.keys()], namesPerLook)) {
        const { names } = await findAbsent(chunk)
        for (const name of names) known.delete(name)
      }
    },
  }
}
