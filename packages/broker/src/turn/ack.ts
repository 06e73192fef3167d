import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import { announceHeads } from '../hints/heads.ts'
import { type KeepLimits, type Kept, noteKept } from '../keep/note.ts'
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
 * Announces how far the topics have come, has Redis remember that, notes that what was stored is kept or has Redis forget it at
 * once, acknowledges entries, and takes the marks of topics away that have nothing in flight. Call it only after the COMMIT that
 * moved the positions over them: this tidies Redis, it decides nothing. If it never runs, the mark stays, and a later turn does
 * the same. Resolves with how many bytes are kept then, as far as that is known.
 */
export async function ack(
  broker: Broker,
  committed: readonly Committed[],
  accounted: readonly Accounted[],
  limits: KeepLimits,
): Promise<number> {
  if (committed.length + accounted.length === 0) return 0
  const topics = committed.map(({ head }) => head.topic).join(', ')
  const isKept = limits.keepMs > 0
  const kept = isKept ? committed.flatMap(keptOf) : []
  let bytes = 0
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
              trimBelow: isKept ? undefined : read && head.position,
            })),
          ),
        ]),
    ...committed.flatMap(({ read }) => {
      if (read === undefined || read.packs.length === 0) return []
      const { account, packs } = read
      return [redis.xack(streamKey(broker, account.topic), account.group, ...packs)]
    }),
    ...(kept.length === 0
      ? []
      : [
          noteKept(broker, redis, kept, limits).then((all) => {
            bytes = all
          }),
        ]),
    // Last: where the rest failed, the mark stays and says so.
    ...(accounted.length === 0 ? [] : [clearMarks(broker, redis, accounted)]),
  ])
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw error
  return bytes
}

function keptOf({ read }: Committed): Kept[] {
  const pack = read?.packs.at(-1)
  if (read === undefined || pack === undefined) return []
  return [{ topic: read.account.topic, pack: pack as Position, bytes: weigh(read) }]
}

/** What a pack takes in a stream's node beside what is in it, and how much more than that Redis allocates. */
const packBytes = 24
const allocated = 1.1

/** Entries of a turn whose characters are looked at: counting the bytes of all would cost every turn. */
const sampledMax = 8

/** About how much of Redis's memory the entries take. */
function weigh({ entries, packs }: TurnRead): number {
  let chars = 0
  for (const { fields } of entries) for (const text of fields) chars += text.length
  let sampledChars = 0
  let sampledBytes = 0
  const step = Math.max(1, Math.floor(entries.length / sampledMax))
  for (let index = 0; index < entries.length; index += step) {
    for (const text of entries[index]?.fields ?? []) {
      sampledChars += text.length
      sampledBytes += Buffer.byteLength(text)
    }
  }
  const bytesPerChar = sampledChars === 0 ? 1 : sampledBytes / sampledChars
  return Math.ceil((chars * bytesPerChar + packs.length * packBytes) * allocated)
}
