import type { Head } from '@sekali/core/head'
import type { Broker } from './connect.ts'
import { askAll } from './connect.ts'
import { announceHead } from './heads.ts'
import { streamKey } from './keys.ts'
import type { TurnRead } from './turn.ts'

/**
 * Announces how far the topic has come, acknowledges entries and lets Redis forget what lies below the position. Call
 * it only after the COMMIT that moved the position over them: this tidies Redis, it decides nothing. If it never runs,
 * the next reclaim does the same.
 */
export async function settle(broker: Broker, { place, entries }: TurnRead, head: Head): Promise<void> {
  const key = streamKey(broker, place.topic)
  const replies = await askAll(broker, `ack on ${place.topic}`, (redis) => [
    announceHead(broker, redis, head),
    ...(entries.length > 0 ? [redis.xack(key, place.group, ...entries.map((entry) => entry.position))] : []),
    // `~` drops whole nodes of the stream, which is nearly free. Never MAXLEN: that would count, not look.
    redis.xtrim(key, 'MINID', '~', head.position),
  ])
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw error
}
