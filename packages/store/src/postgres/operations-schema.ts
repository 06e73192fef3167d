import { pgCore, sql } from './drizzle.ts'
import { time } from './schema.ts'

const { bigint, index, integer, jsonb, pgSchema, primaryKey, text } = pgCore

const count = () => bigint({ mode: 'number' }).notNull().default(0)

/** What is done about dead letters and conflicts. A role's of its own: see the migrations, and ADR 32. */
export const operationsSchema = pgSchema('operations')

/** Actions that take long. A gateway has the lease of one that runs; see operations/lease.ts. */
export const operations = operationsSchema.table(
  'operations',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** `redrive`. */
    kind: text().notNull(),
    /** Which letters, as it was asked for: `topic`, `reason`, `from`, `to`, `id`, each optional. */
    filter: jsonb().notNull(),
    /** The last letter that can be in it: those that come later are not. */
    asOf: bigint({ mode: 'number' }).notNull(),
    /** Letters a second. */
    rate: integer().notNull(),
    /** `running`, `done`, `cancelled` or `failed`. */
    state: text().notNull().default('running'),
    /** How many letters there were when it began. */
    matched: bigint({ mode: 'number' }).notNull(),
    /** How many of them it has come past, and what came of those. */
    done: count(),
    outcomes: jsonb().notNull().default({}),
    /** The last letter that it has come past. */
    checkpoint: count(),
    createdAt: time().notNull().default(sql`now()`),
    createdBy: text().notNull(),
    /** The address it was asked from, for the audit log. */
    client: text(),
    /** When the token that began it ends. Of a key PostgreSQL knows it. */
    actorUntil: time(),
    finishedAt: time(),
    /** Why it failed, in words. */
    error: text(),
    leaseHolder: text(),
    leaseUntil: time(),
  },
  (table) => [index('operations_running').on(table.id).where(sql`state = 'running'`)],
)

/** Letters that somebody has dealt with. The others are open: the tables of the consumers never change. */
export const settled = operationsSchema.table(
  'settled',
  {
    /** `entry` for `dead_letters`, `conflict` for `conflicts`. */
    kind: text().notNull(),
    /** The id there. */
    letter: bigint({ mode: 'number' }).notNull(),
    /** `redriven`, `discarded` or `published_as`. */
    became: text().notNull(),
    at: time().notNull().default(sql`clock_timestamp()`),
    by: text().notNull(),
    /** The operation that did it. */
    operation: bigint({ mode: 'number' }),
    /** Why it was discarded. */
    reason: text(),
    /** The event id under which it was published. */
    eventId: text(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.letter] })],
)
