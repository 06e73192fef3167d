/**
 * How events are written into a stream, and read from it.
 *
 * What Redis calls an entry costs it some eight microseconds on its way, whatever is in it: to add it, to
 * deliver it, to acknowledge it, and to write all three to the append-only file. So entries of a topic that
 * are appended together share one, a *pack*. Each has an id of its own all the same: a pack has the id of its
 * first entry, and the ids that follow, which Redis gives to nobody else (see append/calls.ts), are those of
 * the others. See docs/adr, 13.
 */
import type { Event, EventId, Source, TopicName } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import { advance, comparePositions, type Position, timeOf } from '@sekali/core/position'

/** An event in a stream. */
export interface Entry {
  readonly position: Position
  readonly receivedAt: string
  /** `undefined` when it is not of the form that {@link pack} writes: somebody else appended it. */
  readonly event: Event | undefined
  /** Field, value, field, value … as Redis holds them, of this entry alone. */
  readonly fields: readonly string[]
}

/** The one field of a pack. One, because each costs every client and Redis a few hundred nanoseconds. */
export const fieldName = 'e'

// The parser refuses NUL in every part of an event, so it can stand between them.
export const separator = '\0'

/** Stands between entries. No part of an event is empty, so it is nowhere else. */
export const entrySeparator = '\0\0'

/** Entries of a pack, and about how many characters, at most: reads are limited by packs, which come whole. */
const entriesMax = 32
const charsMax = 16 * 1024
/** Packs are made if they save a call at least this many of Redis's entries. */
const savedMin = 4

/** Events of one topic that one caller brought, no more than a call may have. */
export interface Chunk {
  readonly events: readonly Event[]
  /** Of the request that brought them, if it is traced. */
  readonly traceparent?: string | undefined
}

export interface Pack {
  readonly value: string
  readonly entries: number
}

/**
 * Packs the events of a call, in order. A few are left apart: to count and number packs costs Redis a look at
 * the stream, which is more than that saves.
 */
export function pack(chunks: readonly Chunk[]): Pack[] {
  const texts: string[] = []
  for (const { events } of chunks) for (const event of events) texts.push(encode(event))
  const packs = packAll(texts)
  return texts.length - packs.length < savedMin ? texts.map((value) => ({ value, entries: 1 })) : packs
}

function packAll(texts: readonly string[]): Pack[] {
  const packs: { value: string; entries: number }[] = []
  let last: (typeof packs)[number] | undefined
  for (const text of texts) {
    if (last && last.entries < entriesMax && last.value.length + text.length <= charsMax) {
      last.value += entrySeparator + text
      last.entries += 1
    } else {
      last = { value: text, entries: 1 }
      packs.push(last)
    }
  }
  return packs
}

/** Event id, timestamp, source and payload in one value. The topic is the stream's. */
const encode = ({ eventId, timestamp, source, payload }: Event): string =>
  `${eventId}${separator}${timestamp}${separator}${source}${separator}${payload}`

/**
 * The entries of a pack. A value not in our format is one entry with no event, because Redis counted it as one. So is
 * a pack whose ids would reach `end`: they belong to another entry, so somebody has copied it.
 */
export function decode(topic: TopicName, id: string, fields: readonly string[], end: Position): Entry[] {
  const [name, value = '', ...more] = fields
  const texts = name === fieldName && more.length === 0 ? value.split(entrySeparator) : []
  const events = texts.map((text) => decodeEvent(topic, text))
  const first = id as Position
  const isCopy = events.length > 1 && comparePositions(advance(first, events.length - 1), end) >= 0
  if (events.length === 0 || events.includes(undefined) || isCopy) {
    return [{ position: first, receivedAt: timeOf(first), event: undefined, fields }]
  }
  return events.map((event, index) => {
    const position = advance(first, index)
    return { position, receivedAt: timeOf(position), event, fields: [fieldName, texts[index] as string] }
  })
}

// PostgreSQL would take `yesterday` for a time.
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

// Whether the other values are right is not asked again: the gateway did, and PostgreSQL refuses what it cannot hold.
function decodeEvent(topic: TopicName, text: string): Event | undefined {
  const first = text.indexOf(separator)
  const second = text.indexOf(separator, first + 1)
  const third = text.indexOf(separator, second + 1)
  if (first === -1 || second === -1 || third === -1) return undefined
  // The index of keys would take it, and then nobody could ask for it.
  if (first > limits.eventIdCharsMax) return undefined
  const timestamp = text.slice(first + 1, second)
  if (!timeForm.test(timestamp)) return undefined
  return {
    topic,
    eventId: text.slice(0, first) as EventId,
    timestamp,
    source: text.slice(second + 1, third) as Source,
    payload: text.slice(third + 1),
  }
}
