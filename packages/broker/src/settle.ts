import type { Head } from '@sekali/core/head'
import { askAll, type Broker } from './connect.ts'
import { announceHeads } from './heads.ts'
import { streamKey } from './keys.ts'
import type { TurnRead } from './turn.ts'

/** What a turn has read and committed, and how far the topic has come with it. */
export interface Committed {
  readonly read: TurnRead
  readonly head: Head
}

/**
 * Announces how far the topics have come, acknowledges entries and lets Redis forget what lies below the positions. Call
 * it only after the COMMIT that moved the positions over them: this tidies Redis, it decides nothing. If it never runs,
 * the next reclaim does the same.
 */
export async function settle(broker: Broker, committed: readonly Committed[]): Promise<void> {
  const topics = committed.map(({ head }) => head.topic).join(', ')
  const replies = await askAll(broker, `ack on ${topics}`, (redis) => [
    announceHeads(
      broker,
      redis,
      committed.map(({ head }) => head),
    ),
    ...committed.flatMap(({ read: { place, packs }, head }) => {
      const key = streamKey(broker, place.topic)
      return [
        ...(packs.length > 0 ? [redis.xack(key, place.group, ...packs)] : []),
        // `~` drops whole nodes of the stream, which is nearly free. Never MAXLEN: that would count, not look.
        redis.xtrim(key, 'MINID', '~', head.position),
      ]
    }),
  ])
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw error
}
