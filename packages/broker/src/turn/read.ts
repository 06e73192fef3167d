/**
 * What a turn reads: the entries that follow the position, all of them, in order.
 *
 * `XREADGROUP >` alone does not give that. A consumer that dies between reading and committing leaves entries
 * delivered that nobody will be given again, and its last XREADGROUP can still sit in Redis's socket and run after
 * its successor looked. So every read is checked against the stream itself: in the same MULTI, the first entry
 * after the position is peeked. If that is not the first entry read, something was delivered past us (a crash, a
 * stale read, an operator's XGROUP SETID or DELCONSUMER), and one mechanism mends them all: *reclaim* takes what is
 * pending, acknowledges what the position already covers and sets the group back to the position, so that `>`
 * gives the rest again, in order. Between two neighbours of one reply nothing can be missing: Redis reads a range.
 *
 * Only the holder of the topic's row lock calls this, so nobody else legitimately reads the group meanwhile.
 */
import { randomUUID } from 'node:crypto'
import { type Account, beginning } from '@sekali/core/account'
import { BrokerUnavailable } from '@sekali/core/errors'
import type { Head } from '@sekali/core/head'
import { advance, comparePositions, type Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { historyOf } from '../loss/history.ts'
import { vouch } from '../loss/vouch.ts'
import { ask, type Broker, transact } from '../redis/connect.ts'
import { decode } from '../redis/entry.ts'
import { field, findGroup, isMissing } from '../redis/info.ts'
import { groupPrefix, rememberedKey, streamKey } from '../redis/keys.ts'
import { defineScript } from '../redis/script.ts'
import type { OpenAccount, ReclaimCause, TurnRead } from './account.ts'
import { reclaim } from './reclaim.ts'
import { memoryFields, readMemories } from './remembered.ts'

// Each attempt after the first answers one disturbance. More than a few in a row mean that something else reads the group,
// removes it or sets the stream back.
const attemptsMax = 4

export interface ReadTurnOptions {
  /** Whether to reclaim before the first read, to acknowledge what a crash left pending behind the position. */
  readonly reclaimFirst?: boolean
  /** See `reclaim`. */
  readonly onTaken?: () => void
}

/**
 * Reads up to `packsMax` packs after the account's position. `undefined` when the topic has no stream.
 * Rejects with {@link BrokerUnavailable}.
 */
export async function readTurn(
  broker: Broker,
  given: Account & Pick<Head, 'topicId'>,
  consumer: string,
  packsMax: number,
  { reclaimFirst = false, onTaken = () => {} }: ReadTurnOptions = {},
): Promise<TurnRead | undefined> {
  const history = await historyOf(broker)
  let isTorn =
    given.history !== null && given.history !== history && (await vouchForSeen(broker, given, given.history))
  let account = given.group === null ? await findAccount(broker, given) : (given as OpenAccount)
  let reclaimed: ReclaimCause | undefined
  let disturbance = ''
  for (let attempt = 1; account !== undefined && attempt <= attemptsMax; attempt++) {
    if (reclaimFirst && attempt === 1) {
      reclaimed = 'left_pending'
      await reclaim(broker, account, consumer, onTaken)
    }
    const read = await readOnce(broker, account, { topicId: given.topicId, consumer, packsMax })
    if (read === 'no group') {
      disturbance = 'the consumer group was gone'
      account = await findAccount(broker, account)
    } else if (read.firstAfter !== read.packs[0]) {
      reclaimed = read.entries.length === 0 ? 'delivered_to_nobody' : 'skipped'
      disturbance = `entries were ${reclaimed.replaceAll('_', ' ')}`
      await reclaim(broker, account, consumer, onTaken)
    } else if (comparePositions(read.lastId, account.position) < 0 || read.entriesAdded < account.accounted) {
      // The stream went backwards without a new history, as far as we know; see vouchForSeen.
      disturbance = 'the stream went backwards'
      isTorn = (await vouchForSeen(broker, account, '')) || isTorn
    } else if ((await historyOf(broker)) !== history) {
      throw new BrokerUnavailable(`redis began another history while ${account.topic} was read`)
    } else {
      return { account, reclaimed, history, isTorn, ...read }
    }
  }
  if (account === undefined) return undefined
  throw new BrokerUnavailable(
    `could not read ${account.topic} undisturbed in ${attemptsMax} attempts; in the last, ${disturbance}`,
  )
}

interface Reader {
  readonly topicId: number
  readonly consumer: string
  readonly packsMax: number
}

async function readOnce(broker: Broker, account: OpenAccount, { topicId, consumer, packsMax }: Reader) {
  const replies = await ask(broker, `read of ${account.topic}`, (redis) =>
    readAndPeek(redis, {
      key: streamKey(broker, account.topic),
      group: account.group,
      consumer,
      packsMax,
      after: `(${account.position}`,
      memory: [rememberedKey(broker), ...memoryFields(account.topic, topicId)],
    }),
  )
  const [read, peek, info, memory] = replies
  if (isMissing(read)) return 'no group'
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw new BrokerUnavailable(`read of ${account.topic} failed`, { cause: error })

  const rows = (read as [key: string, rows: [id: string, fields: string[]][]][] | null)?.[0]?.[1] ?? []
  const lastId = field(info, 'last-generated-id') as Position
  // Where a pack's ids must end: at the next pack, or behind the last id of the stream.
  const endOf = (index: number) => (rows[index + 1]?.[0] ?? advance(lastId, 1)) as Position
  return {
    entries: rows.flatMap(([id, fields], index) => decode(account.topic, id, fields, endOf(index))),
    packs: rows.map(([id]) => id),
    firstAfter: (peek as [id: string, fields: string[]][])[0]?.[0],
    atEnd: rows.length < packsMax,
    entriesAdded: Number(field(info, 'entries-added')),
    lastId,
    firstId: (field(info, 'first-entry') as [id: Position] | null)?.[0],
    deletedId: field(info, 'max-deleted-entry-id') as Position,
    memories: readMemories(memory),
  }
}

interface ReadAndPeek {
  readonly key: string
  readonly group: string
  readonly consumer: string
  readonly packsMax: number
  readonly after: string
  /** The hash of what is remembered, and the fields to read of it. */
  readonly memory: readonly [key: string, ...fields: string[]]
}

/** The read, the peek, the figures and the memory of one moment. */
async function readAndPeek(
  redis: Redis,
  { key, group, consumer, packsMax, after, memory }: ReadAndPeek,
): Promise<unknown[]> {
  try {
    return await transact(redis, () => [
      redis.xreadgroup('GROUP', group, consumer, 'COUNT', packsMax, 'STREAMS', key, '>'),
      redis.xrange(key, after, '+', 'COUNT', 1),
      redis.call('XINFO', 'STREAM', key),
      redis.call('HMGET', ...memory),
    ])
  } catch (error) {
    if (!isRefused(error)) throw error
    const [hash, ...fields] = memory
    const args = [group, consumer, String(packsMax), after, ...fields]
    return (await redis.call(...readAndPeekScript.whole([key, hash], args))) as unknown[]
  }
}

// A Redis that has reached maxmemory refuses to queue anything in a transaction, reads included, but to read is how
// it gets rid of what fills it. In a script it refuses only what adds. Not used otherwise, because every entry would
// be copied into Lua and out again.
const readAndPeekScript = defineScript(`
return {
  redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>'),
  redis.pcall('XRANGE', KEYS[1], ARGV[4], '+', 'COUNT', 1),
  redis.pcall('XINFO', 'STREAM', KEYS[1]),
  redis.pcall('HMGET', KEYS[2], ARGV[5], ARGV[6])
}`)

const isRefused = (error: unknown): boolean => error instanceof Error && error.message.startsWith('EXECABORT')

/**
 * Vouches for what was seen of the stream in an earlier history (see loss/vouch.ts). So what Redis has lost of it stays
 * counted, and no new id lies below the position, where nobody would ever read it. Returns whether anything is missing.
 */
async function vouchForSeen(broker: Broker, account: Account, history: string): Promise<boolean> {
  if (account.group === null) return false
  // What is accounted for was seen, whoever wrote it down.
  const latest =
    account.seen >= account.accounted
      ? { added: account.seen, id: account.seenId }
      : { added: account.accounted, id: account.position }
  const vouched = await vouch(broker, account.topic, { history, group: account.group, ...latest })
  return vouched !== undefined && vouched.lost > 0
}

/**
 * Where to read from when the remembered group is not there: the beginning of the stream if it is a new incarnation; the
 * remembered position if only the group is gone, which is then made again.
 */
async function findAccount(broker: Broker, account: Account): Promise<OpenAccount | undefined> {
  const found = await findGroup(broker, account.topic)
  if (found === 'no stream') return undefined
  if (found !== undefined && found !== account.group) {
    return { topic: account.topic, group: found, ...beginning }
  }
  const group = found ?? account.group ?? `${groupPrefix(broker)}${randomUUID()}`
  if (found === undefined) {
    // From the position, never from `$`: that would skip what was appended while there was no group.
    await ask(broker, `new group for ${account.topic}`, (redis) =>
      redis.xgroup('CREATE', streamKey(broker, account.topic), group, account.position),
    )
  }
  return { ...account, group }
}
