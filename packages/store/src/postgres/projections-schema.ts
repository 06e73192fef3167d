import { pgCore, sql } from './drizzle.ts'
import { time } from './schema.ts'

const { bigint, boolean, customType, integer, json, pgSchema, primaryKey, text, uniqueIndex } = pgCore

/** What is folded from the log, and can be folded anew. Apart from the log, so that roles may write the one and not the other. */
export const projections = pgSchema('projections')

/** Text that is ordered by its bytes, whatever the database's locale: pages by key need one order for good. */
const byteText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/**
 * A projection's definition and what has come of it so far. While a changed definition is folded from the start there
 * are two of a name, the live one and the one that is being built; then they swap in one transaction. The row's lock
 * is a projector's turn; it is updated once a turn, like a topic's.
 */
export const generations = projections.table(
  'generations',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    /** The definition's version: a greater one is built beside the live one. */
    version: integer().notNull(),
    /** Of the definition's file: a change without a new version makes it another definition, too. */
    hash: text().notNull(),
    topics: text().array().notNull(),
    /** The same as one regular expression, which a topic's name matches or not. */
    topicRegex: text().notNull(),
    keyed: boolean().notNull(),
    /** The state that each key begins with. */
    initial: json().notNull(),
    stage: text({ enum: ['live', 'building', 'retired'] }).notNull(),
    /** Counts the turns that changed something. Whoever writes says which one it has read, and is refused otherwise. */
    revision: bigint({ mode: 'number' }).notNull().default(0),
    /** The event that could not be folded, and why. Nothing is folded any more until there is a new generation. */
    failedTopic: text(),
    failedSeq: bigint({ mode: 'number' }),
    failedEventId: text(),
    failedMessage: text(),
    /** Events that the definition could not fold and asks to skip: how many, and the last one. */
    skipped: bigint({ mode: 'number' }).notNull().default(0),
    skippedTopic: text(),
    skippedSeq: bigint({ mode: 'number' }),
    skippedEventId: text(),
    skippedMessage: text(),
  },
  (table) => [
    uniqueIndex('generations_live').on(table.name).where(sql`stage = 'live'`),
    uniqueIndex('generations_building').on(table.name).where(sql`stage = 'building'`),
  ],
)

/** Up to which seq a generation has folded a topic, and in which epoch of its log. Seqs have no gap, so one number says it all. */
export const checkpoints = projections.table(
  'checkpoints',
  {
    seq: bigint({ mode: 'number' }).notNull(),
    generationId: integer().notNull(),
    topicId: integer().notNull(),
    epoch: integer().notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.generationId, table.topicId] })],
)

/** The state of each key of a generation; of one without keys, under the empty key. */
export const states = projections.table(
  'states',
  {
    /** The generation's revision that wrote it. */
    revision: bigint({ mode: 'number' }).notNull(),
    generationId: integer().notNull(),
    key: byteText().notNull(),
    /** `json`, not `jsonb`: whole numbers of any size and the order of keys stay. */
    state: json().notNull(),
  },
  (table) => [primaryKey({ columns: [table.generationId, table.key] })],
)

/**
 * When a projector last said that it has a definition of that name. Apart from the generations, whose rows are locked for
 * as long as a turn lasts.
 */
export const announcements = projections.table('announcements', {
  name: text().primaryKey(),
  announcedAt: time().notNull().default(sql`now()`),
})

/** Files of definitions that a projector could not load when it last looked. It says so again as it announces definitions. */
export const notLoaded = projections.table(
  'not_loaded',
  {
    projector: text().notNull(),
    /** Its name in the projector's folder. */
    file: text().notNull(),
    line: integer(),
    message: text().notNull(),
    reportedAt: time().notNull().default(sql`now()`),
  },
  (table) => [primaryKey({ columns: [table.projector, table.file] })],
)
