/**
 * Which consumer takes the turns of which topics, by rendezvous hashing: of all consumers, the one whose name and the
 * channel hash highest together. All who know the same names come to the same answer without asking each other, and when
 * one comes or goes, only its topics change hands. https://en.wikipedia.org/wiki/Rendezvous_hashing
 *
 * It is a preference. Who may take a turn is decided by the lock of the topic's row alone, so consumers that know
 * different names for a while cost attempts and no more.
 */
import { channelOf, channelsCount } from '@sekali/broker/channels'
import type { TopicName } from '@sekali/core/event'
import { hash, mix } from '@sekali/core/hash'

/** A topic's turns are the preferred consumer's. The deputy hears of its news too, and steps in. */
type Place = 'preferred' | 'deputy' | 'none'

export interface Places {
  /** Whether there is no other consumer to share topics with. */
  readonly isAlone: boolean
  of(topic: TopicName): Place
  /** The channels in which this consumer has a place. */
  channels(): number[]
  /** Notes which consumers there are; this one is among them in any case. Returns whether that is news. */
  update(others: Iterable<string>): boolean
  /** One has left. Returns whether that is news. */
  remove(consumer: string): boolean
}

export function createPlaces(self: string): Places {
  let names: ReadonlySet<string> = new Set([self])
  let places = placesOf(self, names)
  const set = (now: ReadonlySet<string>): boolean => {
    if (now.symmetricDifference(names).size === 0) return false
    names = now
    places = placesOf(self, names)
    return true
  }
  return {
    get isAlone() {
      return names.size === 1
    },
    of: (topic) => places[channelOf(topic)] as Place,
    channels: () => places.flatMap((place, channel) => (place === 'none' ? [] : [channel])),
    update: (others) => set(new Set([self, ...others])),
    remove: (consumer) => set(new Set([...names].filter((name) => name === self || name !== consumer))),
  }
}

function placesOf(self: string, names: ReadonlySet<string>): Place[] {
  const hashed = [...names].map((name) => ({ name, hash: hash(name) }))
  return Array.from({ length: channelsCount }, (_, channel) => {
    const [first, second] = rank(channel, hashed)
    if (first === self) return 'preferred'
    return second === self ? 'deputy' : 'none'
  })
}

/** The names by what they and the channel hash to, the highest first. */
function rank(
  channel: number,
  hashed: readonly { readonly name: string; readonly hash: number }[],
): string[] {
  const salt = mix(channel + 1)
  return hashed
    .map(({ name, hash }) => ({ name, weight: mix(hash ^ salt) }))
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name)
}
