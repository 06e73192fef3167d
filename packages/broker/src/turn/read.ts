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
import { BrokerUnavailable } from '@sekali/core/errors'
import { advance, comparePositions, type Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { historyOf } from '../loss/epoch.ts'
import { vouch } from '../loss/vouch.ts'
import { ask, type Broker, transact } from '../redis/connect.ts'
import { decode, type Entry } from '../redis/entry.ts'
import { field, findGroup, isMissing } from '../redis/info.ts'
import { groupPrefix, streamKey } from '../redis/keys.ts'
import { defineScript } from '../redis/script.ts'
import { beginning, type Place } from './account.ts'
import { reclaim } from './reclaim.ts'

export interface TurnRead {
  /** Where the read began: the place given, or the beginning of a new incarnation. */
  readonly place: Place & { readonly group: string }
  readonly entries: readonly Entry[]
  /** The ids of the packs in which they came, to be acknowledged. */
  readonly packs: readonly string[]
  /** Whether the stream holds nothing after the last of `entries`. */
  readonly atEnd: boolean
  /** How many entries were ever added to this incarnation. */
  readonly entriesAdded: number
  /** The id that Redis gave out last in this stream, still there or not. */
  readonly lastId: Position
  /** The history of Redis's data in which it was read. */
  readonly history: string
  /** Whether the stream was found to have lost its end. */
  readonly isTorn: boolean
  /** Whether the read had to reclaim, and if so why. */
  readonly reclaimed: string | undefined
}

// Each reclaim answers one disturbance; more than a few in a row means that something else reads the group.
const attemptsMax = 4

export interface ReadTurnOptions {
  /** Reclaims first, to acknowledge what a crash left pending behind the position. */
  readonly tidy?: boolean
  /** Called in the middle of a reclaim: what was pending is taken over, the group not yet set back. */
  readonly reclaiming?: () => void
}

/**
 * Reads up to `packsMax` packs after `place`. `undefined` when the topic has no stream.
 * Rejects with {@link BrokerUnavailable}.
 */
export async function readTurn(
  broker: Broker,
  given: Place,
  consumer: string,
  packsMax: number,
  { tidy = false, reclaiming = () => {} }: ReadTurnOptions = {},
): Promise<TurnRead | undefined> {
  const history = await historyOf(broker)
  let isTorn =
    given.history !== null && given.history !== history && (await raise(broker, given, given.history))
  let place = given.group === null ? await findPlace(broker, given) : (given as TurnRead['place'])
  let reclaimed: string | undefined
  for (let attempt = 1; place !== undefined && attempt <= attemptsMax; attempt++) {
    if (tidy && attempt === 1) {
      reclaimed = 'entries were left pending'
      await reclaim(broker, place, consumer, reclaiming)
    }
    const read = await readOnce(broker, place, consumer, packsMax)
    if (read === 'no group') {
      place = await findPlace(broker, place)
    } else if (read.firstAfter !== read.packs[0]) {
      reclaimed = read.entries.length === 0 ? 'entries were delivered to nobody' : 'entries were skipped'
      await reclaim(broker, place, consumer, reclaiming)
    } else if (comparePositions(read.lastId, place.position) < 0 || read.entriesAdded < place.accounted) {
      // Without a new history, as far as we know; see below.
      isTorn = (await raise(broker, place, '')) || isTorn
    } else if ((await historyOf(broker)) !== history) {
      throw new BrokerUnavailable(`redis began another history while ${place.topic} was read`)
    } else {
      return { place, reclaimed, history, isTorn, ...read }
    }
  }
  if (place === undefined) return undefined
  throw new BrokerUnavailable(`somebody else keeps reading ${place.topic} in our consumer group`)
}

async function readOnce(broker: Broker, place: TurnRead['place'], consumer: string, packsMax: number) {
  const key = streamKey(broker, place.topic)
  const replies = await ask(broker, `read of ${place.topic}`, (redis) =>
    look(redis, { key, group: place.group, consumer, packsMax, after: `(${place.position}` }),
  )
  const [read, peek, info] = replies
  if (isMissing(read)) return 'no group'
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw new BrokerUnavailable(`read of ${place.topic} failed`, { cause: error })

  const rows = (read as [key: string, rows: [id: string, fields: string[]][]][] | null)?.[0]?.[1] ?? []
  const lastId = field(info, 'last-generated-id') as Position
  const endOf = (index: number) => (rows[index + 1]?.[0] ?? advance(lastId, 1)) as Position
  return {
    entries: rows.flatMap(([id, fields], index) => decode(place.topic, id, fields, endOf(index))),
    packs: rows.map(([id]) => id),
    firstAfter: (peek as [id: string, fields: string[]][])[0]?.[0],
    atEnd: rows.length < packsMax,
    entriesAdded: Number(field(info, 'entries-added')),
    lastId,
  }
}

interface Look {
  readonly key: string
  readonly group: string
  readonly consumer: string
  readonly packsMax: number
  readonly after: string
}

/** The read, the peek and the figures of one moment. */
async function look(redis: Redis, { key, group, consumer, packsMax, after }: Look): Promise<unknown[]> {
  try {
    return await transact(redis, () => [
      redis.xreadgroup('GROUP', group, consumer, 'COUNT', packsMax, 'STREAMS', key, '>'),
      redis.xrange(key, after, '+', 'COUNT', 1),
      redis.call('XINFO', 'STREAM', key),
    ])
  } catch (error) {
    if (!isRefused(error)) throw error
    const args = [group, consumer, String(packsMax), after]
    return (await redis.call(...lookScript.whole([key], args))) as unknown[]
  }
}

// A Redis that has reached maxmemory refuses to queue anything in a transaction, reads included, but to read is how
// it gets rid of what fills it. In a script it refuses only what adds. Not used otherwise, because every entry would
// be copied into Lua and out again.
const lookScript = defineScript(`
return {
  redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>'),
  redis.pcall('XRANGE', KEYS[1], ARGV[4], '+', 'COUNT', 1),
  redis.pcall('XINFO', 'STREAM', KEYS[1])
}`)

const isRefused = (error: unknown): boolean => error instanceof Error && error.message.startsWith('EXECABORT')

/**
 * Vouches for what was seen of the stream in an earlier history (see vouch.ts): so what Redis has lost of it stays
 * counted, and no id is given out below the position, which nobody would ever read. Returns whether anything is missing.
 */
async function raise(broker: Broker, place: Place, history: string): Promise<boolean> {
  if (place.group === null) return false
  // What is accounted for was seen, whoever wrote it down.
  const latest =
    place.seen >= place.accounted
      ? { added: place.seen, id: place.seenId }
      : { added: place.accounted, id: place.position }
  const vouched = await vouch(broker, place.topic, { history, group: place.group, ...latest })
  return vouched !== undefined && vouched.lost > 0
}

/**
 * The place to read from when the remembered group is not there: the beginning of the stream if it is a new
 * incarnation; the remembered position if only the group is gone, which is then made again.
 */
async function findPlace(broker: Broker, place: Place): Promise<TurnRead['place'] | undefined> {
  const found = await findGroup(broker, place.topic)
  if (found === 'no stream') return undefined
  if (found !== undefined && found !== place.group) {
    return { topic: place.topic, group: found, ...beginning }
  }
  const group = found ?? place.group ?? `${groupPrefix(broker)}${randomUUID()}`
  if (found === undefined) {
    // From the position, never from `$`: that would skip what was appended while there was no group.
    await ask(broker, `new group for ${place.topic}`, (redis) =>
      redis.xgroup('CREATE', streamKey(broker, place.topic), group, place.position),
    )
  }
  return { ...place, group }
}
