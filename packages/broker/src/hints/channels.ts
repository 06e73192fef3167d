/**
 * Topics are spread over channels by a hash of their names, so that a hint wakes only those whom it concerns. The number
 * of channels and the hash are part of what processes of different versions agree on: a consumer says in its presence how
 * many channels it knows, and shares topics only with those that know as many (operate/presence.ts).
 */
import type { TopicName } from '@sekali/core/event'
import { hash } from '@sekali/core/hash'

export const channelsCount = 256

/** The channel of a topic: 0 to `channelsCount` - 1. */
export const channelOf = (topic: TopicName): number => hash(topic) % channelsCount
