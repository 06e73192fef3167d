/**
 * Looks ids up: by key, or by text in a log that is not upgraded yet (`topics.keyed`).
 *
 * OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each is one descent
 * of a unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell to a generic plan
 * that stored 6,000 events a second where this one stores ten times as many.
 */
import { compareTags, kindOf } from '../keys/content-tag.ts'
import type { Tx } from '../postgres/connect.ts'
import { KeyCollision } from '../postgres/errors.ts'
import { textArray, uuidArray } from '../postgres/text-array.ts'

/** An id to look up. */
export interface Sought {
  readonly topicId: number
  /** As the topic's row says. */
  readonly keyed: boolean
  readonly eventId: string
  readonly key: string
  /** Of the first event that came under the id. */
  readonly tag: string
  /** Whether tags of another kind came under the id as well. */
  readonly isMixed: boolean
  /** Bytes of the largest payload that came under the id: to a stored one that is larger, none is equal. */
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

/**
 * By their tags; where these are of two kinds, byte for byte: a publisher that repeats itself sends what it sent. Not the
 * timestamp: there are clients that stamp each attempt, and to them the second is the same event.
 */
export function hasSameContent(received: Content, first: Content): boolean {
  if (first.source === received.source && first.payload === received.payload) return true
  const isSame = received.tag && first.tag && compareTags(received.tag(), first.tag())
  return isSame ?? false
}

/** Those that are known, each with the event that has its id. Throws `KeyCollision`. */
export async function findKnown<S extends Sought>(
  tx: Tx,
  sought: readonly S[],
): Promise<[sought: S, known: Known][]> {
  const byKey = sought.filter(({ keyed }) => keyed)
  const byText = sought.filter(({ keyed }) => !keyed)
  return [...(await findByKey(tx, byKey)), ...(await findByText(tx, byText))]
}

const textByKey = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($1::uuid[]) WITH ORDINALITY AS b (key, at)
  CROSS JOIN LATERAL (
    SELECT l.topic_id, l.seq, l.event_id, l.content_tag FROM events l WHERE l.event_key = b.key OFFSET 0
  ) e`

async function findByKey<S extends Sought>(tx: Tx, sought: readonly S[]): Promise<[S, Known][]> {
  if (sought.length === 0) return []
  const { rows } = await tx.$client.query<KeyRow>({
    name: 'find_known',
    text: textByKey,
    values: [uuidArray(sought.map(({ key }) => key))],
    types,
  })
  const found = rows.map(({ at, topic_id, seq, event_id, content_tag }): [S, Found] => {
    const one = sought[Number(at)] as S
    // Never a duplicate of the other one: that would lose an event.
    if (event_id !== one.eventId || Number(topic_id) !== one.topicId) throw new KeyCollision()
    return [one, { seq: Number(seq), tag: content_tag.replaceAll('-', '') }]
  })
  const otherKind = found.filter(([one, { tag }]) => one.isMixed || kindOf(tag) !== kindOf(one.tag))
  const contents = await readContents(tx, otherKind)
  return found.map(([one, { seq, tag }]) => [
    one,
    { source: null, payload: null, ...contents.get(one), seq, tag: () => tag },
  ])
}

interface Found {
  readonly seq: number
  readonly tag: string
}

/**
 * A payload comes only if one of those that came may be equal: a thousand small events under the ids of large ones made
 * a turn read 256 MB.
 */
const payloadUpTo = `CASE WHEN octet_length(l.payload::text) <= b.bytes THEN l.payload::text END AS payload`

/** What events say that have the id, and a tag of another kind than what came under it. */
async function readContents<S extends Sought>(
  tx: Tx,
  found: readonly [S, Found][],
): Promise<Map<S, Pick<ContentRow, 'source' | 'payload'>>> {
  if (found.length === 0) return new Map()
  const { rows } = await tx.$client.query<ContentRow>({
    name: 'read_contents',
    text: `
      SELECT b.at - 1 AS at, e.*
      FROM unnest($1::integer[], $2::bigint[], $3::integer[]) WITH ORDINALITY AS b (topic_id, seq, bytes, at)
      CROSS JOIN LATERAL (
        SELECT l.source, ${payloadUpTo} FROM events l WHERE l.topic_id = b.topic_id AND l.seq = b.seq OFFSET 0
      ) e`,
    values: [
      arrayOf(found, ([{ topicId }]) => topicId),
      arrayOf(found, ([, { seq }]) => seq),
      arrayOf(found, ([{ payloadBytes }]) => payloadBytes),
    ],
    types,
  })
  return new Map(rows.map(({ at, source, payload }) => [found[Number(at)]?.[0] as S, { source, payload }]))
}

const textByText = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($1::integer[], $2::text[], $3::integer[]) WITH ORDINALITY AS b (topic_id, event_id, bytes, at)
  CROSS JOIN LATERAL (
    SELECT l.seq, l.content_tag, l.source, ${payloadUpTo}
    FROM events l WHERE l.topic_id = b.topic_id AND l.event_id = b.event_id
    OFFSET 0
  ) e`

async function findByText<S extends Sought>(tx: Tx, sought: readonly S[]): Promise<[S, Known][]> {
  if (sought.length === 0) return []
  const { rows } = await tx.$client.query<ContentRow & { seq: string; content_tag: string | null }>({
    name: 'find_known_by_text',
    text: textByText,
    values: [
      arrayOf(sought, ({ topicId }) => topicId),
      textArray(sought.map(({ eventId }) => eventId)),
      arrayOf(sought, ({ payloadBytes }) => payloadBytes),
    ],
    types,
  })
  return rows.map(({ at, seq, content_tag, source, payload }) => [
    sought[Number(at)] as S,
    {
      seq: Number(seq),
      source,
      payload,
      ...(content_tag !== null && { tag: () => content_tag.replaceAll('-', '') }),
    },
  ])
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
