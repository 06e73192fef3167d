import { pgCore, sql } from './drizzle.ts'

const { bigint, boolean, customType, index, integer, json, pgTable, primaryKey, text, timestamp, unique } =
  pgCore

const count = () => bigint({ mode: 'number' }).notNull().default(0)
const timeRanges = customType<{ data: string }>({ dataType: () => 'tstzmultirange' })
export const time = () => timestamp({ withTimezone: true, precision: 6, mode: 'string' })

/**
 * A topic: where it stands and what came of its entries. The row's lock is a consumer's turn, and its figures are
 * exact because they change in the transaction that stores the events. It is updated once a turn, so it is narrow,
 * has no index on anything that changes and leaves room in its pages (see the migrations): updates stay HOT.
 * https://www.postgresql.org/docs/current/storage-hot.html
 */
export const topics = pgTable(
  'topics',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull().unique(),
    /** The stream's incarnation: the name of its consumer group. Null until the first turn. */
    streamGroup: text(),
    /** The id of the last stream entry that is accounted for. */
    position: text().notNull().default('0-0'),
    /** Entries of this incarnation that are accounted for. */
    accounted: count(),
    /** The last seq that was given out; since seqs have no gap, also the number of events stored. */
    head: count(),
    duplicates: count(),
    conflicts: count(),
    dead: count(),
    /** Entries that vanished from Redis before they were accounted for. */
    lost: count(),
    /** How many entries this incarnation was ever seen to have had, and the last id it had given out then. */
    seen: count(),
    seenId: text().notNull().default('0-0'),
    /** When Redis was last found to have lost anything. */
    lossAt: time(),
    /** The history of Redis's data in which `seen` was seen; null until the first turn. See broker/loss/history.ts. */
    history: text(),
    /** The stream was drained and quiet, so it was deleted: that it is gone is no loss. See broker/turn/retire.ts. */
    retired: boolean().notNull().default(false),
    /** Bytes of content that are kept of its conflicts and dead letters. */
    keptBytes: count(),
    /** The epoch of its log: 1, and one more after each restore to an earlier state. See `forks`. */
    epoch: integer().notNull().default(1),
  },
  // For patterns: the beginning of a name, whatever collation the database has.
  (table) => [index().on(table.name.op('text_pattern_ops'))],
)

/**
 * The log. Eight-byte columns first, so that no row is padded. No foreign key to `topics`: its check would cost a
 * lookup per event, and the turn holds the topic's row anyway.
 */
export const events = pgTable(
  'events',
  {
    seq: bigint({ mode: 'number' }).notNull(),
    timestamp: time().notNull(),
    receivedAt: time().notNull(),
    storedAt: time().notNull().default(sql`clock_timestamp()`),
    topicId: integer().notNull(),
    eventId: text().notNull(),
    source: text().notNull(),
    /** `json`, not `jsonb`: the text stays as it was sent, digits and order of keys included. */
    payload: json().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.topicId, table.seq] }),
    unique('events_topic_id_event_id_unique').on(table.topicId, table.eventId),
  ],
)

/** Where the epochs of topics' logs began; the first of each has no row. See core/log/fork.ts. */
export const forks = pgTable(
  'forks',
  {
    /** 0: where topics begin that are made later; see operate/begin-epochs.ts. */
    topicId: integer().notNull(),
    epoch: integer().notNull(),
    /** The last seq that the epoch has in common with those before. */
    forkedAt: bigint({ mode: 'number' }).notNull(),
    at: time().notNull().default(sql`clock_timestamp()`),
  },
  (table) => [primaryKey({ columns: [table.topicId, table.epoch] })],
)

/**
 * What 1,024 consecutive events of a topic have in common, so that a search can pass over those that hold
 * nothing it looks for. See spans.ts.
 */
export const spans = pgTable(
  'spans',
  {
    /** As a few ranges, so that a late event does not make its span look as if it held years. */
    timestamp: timeRanges().notNull(),
    receivedAt: timeRanges().notNull(),
    topicId: integer().notNull(),
    /** Its events have the seqs from `span * 1,024` to `span * 1,024 + 1,023`. */
    span: integer().notNull(),
    /** Null when there are more than a few. */
    sources: text().array(),
  },
  (table) => [primaryKey({ columns: [table.topicId, table.span] })],
)

/**
 * Events that came under an event id that is taken by another content. Kept for whoever has to sort that out; of those
 * that are too much for that a stub is kept, without timestamp, source and payload.
 */
export const conflicts = pgTable(
  'conflicts',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    timestamp: time(),
    receivedAt: time().notNull(),
    storedAt: time().notNull().default(sql`clock_timestamp()`),
    topicId: integer().notNull(),
    /** The seq of the event that has the id. */
    seq: bigint({ mode: 'number' }).notNull(),
    eventId: text().notNull(),
    source: text(),
    payload: json(),
  },
  // Not by the event's id: one id may have a million conflicts, and a receipt asks for the one of its entry.
  (table) => [index().on(table.topicId, table.receivedAt)],
)

/**
 * The ids of entries whose time of receipt does not tell them from others; see entry-ids.ts. Not unique: another
 * incarnation of the stream may have the same id.
 */
export const entryIds = pgTable(
  'entry_ids',
  {
    /** The seq of the event that has the entry's event id. */
    seq: bigint({ mode: 'number' }).notNull(),
    topicId: integer().notNull(),
    isConflict: boolean().notNull(),
    entryId: text().notNull(),
  },
  (table) => [index().on(table.topicId, table.seq, table.isConflict, table.entryId)],
)

/** Entries that PostgreSQL refuses, or that are no events at all. */
export const deadLetters = pgTable(
  'dead_letters',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    receivedAt: time().notNull(),
    storedAt: time().notNull().default(sql`clock_timestamp()`),
    topicId: integer().notNull(),
    entryId: text().notNull(),
    /** `malformed_entry`, or the SQLSTATE with which PostgreSQL refused it. */
    reason: text().notNull(),
    /**
     * The entry's fields and values as a JSON array of strings, in which even a NUL can be written; null in a stub, of
     * a topic that has too many.
     */
    fields: text(),
    /** Null when the entry cannot be read, or when PostgreSQL cannot hold it. */
    eventId: text(),
  },
  (table) => [
    index().on(table.topicId, table.id),
    index().on(table.topicId, table.entryId),
    index().on(table.topicId, table.eventId),
  ],
)
