import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import { ask, type Broker } from '../redis/connect.ts'
import { streamKey } from '../redis/keys.ts'

const pageCount = 1_000
// A bound: what is left pending behind it, a later turn reclaims. A page may be empty and not the last: XAUTOCLAIM looks at
// ten times COUNT entries and then answers. The cursor 0-0 says that there are no more.
// https://redis.io/docs/latest/commands/xautoclaim/
const pagesMax = 1_000

/**
 * Puts the group back in order: whatever is pending, with anybody, becomes ours; what the position covers is
 * acknowledged; and the group is set back to the position, so that the rest is delivered again, in order.
 * Whoever dies in between leaves a group that the next turn finds out of order, and reclaims again.
 * A minimum idle time of 0 is right, because the row lock says that nobody else is reading.
 * `onTaken` is called when the pending entries are ours and the group is not yet set back: a failpoint for tests.
 */
export async function reclaim(
  broker: Broker,
  { topic, group, position }: { topic: TopicName; group: string; position: Position },
  consumer: string,
  onTaken: () => void,
): Promise<void> {
  const key = streamKey(broker, topic)
  let cursor = '0-0'
  for (let page = 0; page < pagesMax; page++) {
    const reply = await ask(broker, `reclaim of ${topic}`, (redis) =>
      redis.xautoclaim(key, group, consumer, 0, cursor, 'COUNT', pageCount, 'JUSTID'),
    )
    const [next, ids] = reply as [string, Position[]]
    const covered = ids.filter((id) => comparePositions(id, position) <= 0)
    if (covered.length > 0)
      await ask(broker, `ack on ${topic}`, (redis) => redis.xack(key, group, ...covered))
    cursor = next
    if (cursor === '0-0') break
  }
  onTaken()
  await ask(broker, `set back of ${topic}`, (redis) => redis.xgroup('SETID', key, group, position))
}
