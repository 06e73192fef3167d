import type { Head } from '@sekali/core/head'
import { announceHeads } from '../hints/heads.ts'
import { askAll, type Broker } from '../redis/connect.ts'
import { streamKey } from '../redis/keys.ts'
import type { TurnRead } from './account.ts'
import { type Accounted, clearMarks } from './marks.ts'
import { type Remembered, remember } from './remembered.ts'

/** What a turn has read and committed, and how far the topic has come with it. */
export interface Committed {
  /** `undefined` when the topic has no stream. */
  readonly read: TurnRead | undefined
  readonly head: Head
  readonly remembered: Remembered
}

/**
 * Announces how far the topics have come, has Redis remember that and forget the entries below the positions, acknowledges
 * entries, and takes the marks of topics away that have nothing in flight. Call it only after the COMMIT that moved the
 * positions over them: this tidies Redis, it decides nothing. If it never runs, the mark stays, and a later turn does the same.
 */
export async function ack(
  broker: Broker,
  committed: readonly Committed[],
  accounted: readonly Accounted[],
): Promise<void> {
  if (committed.length + accounted.length === 0) return
  const topics = committed.map(({ head }) => head.topic).join(', ')
  const replies = await askAll(broker, `ack on ${topics}`, (redis) => [
    ...(committed.length === 0
      ? []
      : [
          announceHeads(
            broker,
            redis,
            committed.map(({ head }) => head),
          ),
          remember(
            broker,
            redis,
            committed.map(({ read, head, remembered }) => ({
              topic: head.topic,
              remembered,
              trimBelow: read && head.position,
            })),
          ),
        ]),
    ...committed.flatMap(({ read }) => {
      if (read === undefined || read.packs.length === 0) return []
      const { account, packs } = read
      return [redis.xack(streamKey(broker, account.topic), account.group, ...packs)]
    }),
    // Last: where the rest failed, the mark stays and says so.
    ...(accounted.length === 0 ? [] : [clearMarks(broker, redis, accounted)]),
  ])
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw error
}
