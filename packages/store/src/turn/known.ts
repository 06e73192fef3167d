/**
 * Looks ids up: by key, or by text in a log that is not upgraded yet (`topics.keyed`).
 *
 * OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each is one descent
 * of a unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell to a generic plan
 * that stored 6,000 events a second where this one stores ten times as many.
 */
import { chunksOf } from '@sekali/core/chunks'
import { compareTags, contentTagBy, kindOf } from '../keys/content-tag.ts'
import type { Tx } from '../postgres/connect.ts'
import { KeyCollision } from '../postgres/errors.ts'
import { textArray, uuidArray } from '../postgres/text-array.ts'
import type { Turn } from './turn.ts'

/** An id to look up. */
export interface Sought {
  /** Of its topic, whose row says by what ids are looked up and what is compared. */
  readonly turn: Pick<Turn, 'topicId' | 'keyed' | 'pepper' | 'sameContent'>
  /** Its place among those that are looked up for the turn. */
  readonly index: number
  readonly eventId: string
  readonly key: string
  /** Bytes of the largest payload that came under the id: by bytes, none is equal to a stored one that is larger. */
  readonly payloadBytes: number
}

/** What is compared of two events of one id. */
export interface Content {
  /** Null where it was not read, because the tag says it all. */
  readonly source: string | null
  /** Null also when it is larger than what came under the id. */
  readonly payload: string | null
  /** Undefined where only bytes can be compared: of an event of a version before, in a log that is not upgraded yet. */
  readonly tag?: () => string
}

/** The event that has an id. */
export interface Known extends Content {
  readonly seq: number
}

/** By their tags, or as the same text of the same source. Tags of two kinds are of two contents: see `withTags`. */
export function hasSameContent(received: Content, first: Content): boolean {
  if (first.source === received.source && first.payload === received.payload) return true
  const isSame = received.tag && first.tag && compareTags(received.tag(), first.tag())
  return isSame ?? false
}

/** Those that are known, each with the event that has its id. Throws `KeyCollision`. */
export async function findKnown(
  tx: Tx,
  sought: readonly Sought[],
): Promise<[sought: Sought, known: Known][]> {
  const byKey = sought.filter(({ turn }) => turn.keyed)
  const byText = sought.filter(({ turn }) => !turn.keyed)
  return [...(await findByKey(tx, byKey)), ...(await findByText(tx, byText))]
}

const textByKey = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($1::uuid[]) WITH ORDINALITY AS b (key, at)
  CROSS JOIN LATERAL (
    SELECT l.topic_id, l.seq, l.event_id, l.content_tag FROM events l WHERE l.event_key = b.key OFFSET 0
  ) e`

async function findByKey(tx: Tx, sought: readonly Sought[]): Promise<[Sought, Known][]> {
  if (sought.length === 0) return []
  const { rows } = await tx.$client.query<KeyRow>({
    name: 'find_known',
    text: textByKey,
    values: [uuidArray(sought.map(({ key }) => key))],
    types,
  })
  const found = rows.map(({ at, topic_id, seq, event_id, content_tag }): [Sought, Found] => {
    const one = sought[Number(at)] as Sought
    // Never a duplicate of the other one: that would lose an event.
    if (event_id !== one.eventId || Number(topic_id) !== one.turn.topicId) throw new KeyCollision()
    return [one, { seq: Number(seq), tag: content_tag.replaceAll('-', '') }]
  })
  return await withTags(tx, found)
}

interface Found {
  readonly seq: number
  /** Undefined where the log is not upgraded, and may have none. */
  readonly tag: string | undefined
}

/**
 * A payload comes only if one of those that came may be equal: a thousand small events under the ids of large ones made
 * a turn read 256 MB.
 */
const payloadUpTo = `CASE WHEN octet_length(l.payload::text) <= b.bytes THEN l.payload::text END AS payload`

/** Payloads that are in memory at once: 4 MiB of those that the door lets in. */
const payloadsAtOnce = 16

/**
 * Each with a tag of the kind that its topic compares. Where another is stored, because the topic's setting has changed or
 * the log is not upgraded, it is made of the stored content, as if that came now. By meaning, a payload may be larger than
 * its equal, so all of these are read, a few at a time.
 */
async function withTags(tx: Tx, found: readonly [Sought, Found][]): Promise<[Sought, Known][]> {
  const tags = new Map<Sought, string>()
  const others = found.filter(([{ turn }, { tag }]) => tag === undefined || kindOf(tag) !== turn.sameContent)
  for (const some of chunksOf(others, payloadsAtOnce)) {
    const { rows } = await tx.$client.query<ContentRow>({
      name: 'read_contents',
      text: `
        SELECT b.at - 1 AS at, e.*
        FROM unnest($1::integer[], $2::bigint[], $3::integer[]) WITH ORDINALITY AS b (topic_id, seq, bytes, at)
        CROSS JOIN LATERAL (
          SELECT l.source, ${payloadUpTo} FROM events l WHERE l.topic_id = b.topic_id AND l.seq = b.seq OFFSET 0
        ) e`,
      values: [
        arrayOf(some, ([{ turn }]) => turn.topicId),
        arrayOf(some, ([, { seq }]) => seq),
        arrayOf(some, ([one]) => bytesOf(one, allBytes)),
      ],
      types,
    })
    for (const { at, source, payload } of rows) {
      const [one] = some[Number(at)] as [Sought, Found]
      if (payload === null) continue
      tags.set(one, contentTagBy(one.turn.pepper, one.turn.sameContent, source, payload))
    }
  }
  return found.map(([one, { seq, tag: stored }]) => {
    const tag = tags.get(one) ?? stored
    return [one, { seq, source: null, payload: null, ...(tag !== undefined && { tag: () => tag }) }]
  })
}

const allBytes = 2 ** 31 - 1
const none = -1

/** How large a payload may be that is read: by meaning, one may be larger than its equal. */
const bytesOf = ({ turn, payloadBytes }: Sought, byMeaning: number): number =>
  turn.sameContent === 'bytes' ? payloadBytes : byMeaning

const textByText = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($1::integer[], $2::text[], $3::integer[]) WITH ORDINALITY AS b (topic_id, event_id, bytes, at)
  CROSS JOIN LATERAL (
    SELECT l.seq, l.content_tag, l.source, ${payloadUpTo}
    FROM events l WHERE l.topic_id = b.topic_id AND l.event_id = b.event_id
    OFFSET 0
  ) e`

async function findByText(tx: Tx, sought: readonly Sought[]): Promise<[Sought, Known][]> {
  if (sought.length === 0) return []
  const { rows } = await tx.$client.query<ContentRow & { seq: string; content_tag: string | null }>({
    name: 'find_known_by_text',
    text: textByText,
    values: [
      arrayOf(sought, ({ turn }) => turn.topicId),
      textArray(sought.map(({ eventId }) => eventId)),
      arrayOf(sought, (one) => bytesOf(one, none)),
    ],
    types,
  })
  const byBytes: [Sought, Known][] = []
  const byMeaning: [Sought, Found][] = []
  for (const { at, seq, content_tag, source, payload } of rows) {
    const one = sought[Number(at)] as Sought
    const stored = { seq: Number(seq), tag: content_tag?.replaceAll('-', '') }
    const { tag } = stored
    if (one.turn.sameContent === 'json') byMeaning.push([one, stored])
    else byBytes.push([one, { seq: stored.seq, source, payload, ...(tag && { tag: () => tag }) }])
  }
  return [...byBytes, ...(await withTags(tx, byMeaning))]
}

const arrayOf = <T>(all: readonly T[], numberIn: (one: T) => number): string =>
  `{${all.map(numberIn).join(',')}}`

interface KeyRow {
  readonly at: string
  readonly topic_id: string
  readonly seq: string
  readonly event_id: string
  readonly content_tag: string
}

interface ContentRow {
  readonly at: string
  readonly source: string
  readonly payload: string | null
}

/** Everything as PostgreSQL prints it: a Date would have no microseconds. */
const types = { getTypeParser: () => String }
