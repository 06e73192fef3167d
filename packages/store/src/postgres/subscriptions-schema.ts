import { pgCore, sql } from './drizzle.ts'
import { time } from './schema.ts'

const { bigint, boolean, check, customType, index, integer, json, jsonb, pgSchema, primaryKey, text, uuid } =
  pgCore

const seqRanges = customType<{ data: string }>({ dataType: () => 'int8multirange' })

/** Who has got how far in working a log off. A role's of its own: see the migrations, and ADR 47. */
export const subscriptionsSchema = pgSchema('subscriptions')

/**
 * A subscription, as it was asked for. The row's lock is a turn: whatever is handed out or settled happens under it. It is
 * updated when somebody changes it and at no other time, so that a snapshot elsewhere finds one version of it.
 */
export const subscriptions = subscriptionsSchema.table(
  'subscriptions',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull().unique(),
    /** `pull` or `push`. */
    kind: text().notNull().default('pull'),
    /** The pattern, and the regular expression that it stands for. */
    topics: text().notNull(),
    topicsMatch: text().notNull(),
    /** `none`, `source` or `topic`. */
    ordering: text().notNull(),
    /** As it was sent, and its two conditions as functions want them. */
    filter: json().notNull(),
    filterSources: text().array(),
    filterPayload: jsonb(),
    sourceBatch: integer().notNull(),
    leaseS: integer().notNull(),
    outstandingMax: integer().notNull(),
    deliveriesMax: integer().notNull(),
    backoffS: integer().array().notNull(),
    /** `skip`, `block`, or of a push subscription `stop`. */
    onExhausted: text().notNull(),
    /** `active` or `paused`. */
    state: text().notNull().default('active'),
    /** One more after each seek. */
    generation: integer().notNull().default(1),
    createdAt: time().notNull().default(sql`clock_timestamp()`),
    createdBy: text().notNull(),
    changedAt: time().notNull().default(sql`clock_timestamp()`),
  },
  (table) => [
    check(
      'subscriptions_words',
      sql`${table.kind} IN ('pull', 'push') AND ${table.ordering} IN ('none', 'source', 'topic')
    AND (${table.onExhausted} IN ('skip', 'block') OR ${table.onExhausted} = 'stop' AND ${table.kind} = 'push')
    AND ${table.state} IN ('active', 'paused')`,
    ),
    check(
      'subscriptions_limits',
      sql`${table.leaseS} BETWEEN 1 AND 3600 AND ${table.outstandingMax} BETWEEN 1 AND 10000
    AND ${table.deliveriesMax} BETWEEN 1 AND 1000 AND ${table.sourceBatch} BETWEEN 1 AND 1000
    AND cardinality(${table.backoffS}) <= 20 AND 0 <= ALL (${table.backoffS}) AND 86400 >= ALL (${table.backoffS})`,
    ),
  ],
)

/** The topics of a subscription. They join when they are first seen, and leave when they are dropped. */
export const members = subscriptionsSchema.table(
  'members',
  {
    subscription: integer().notNull(),
    topicId: integer().notNull(),
    name: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.subscription, table.topicId] })],
)

/**
 * How far a subscription is in a topic: the newest revision tells. Rows are added and never changed, and old ones are deleted
 * by the dozen: the newest is found at the end of the index, however many dead ones a long snapshot keeps before it.
 */
export const cursors = subscriptionsSchema.table(
  'cursors',
  {
    revision: bigint({ mode: 'number' }).notNull(),
    /** All up to here was settled when the revision was written. The floor is that or later: the exceptions tell. */
    floor: bigint({ mode: 'number' }).notNull(),
    /** All up to here was looked at: handed out, left out by the filter, or among `waiting`. */
    cursor: bigint({ mode: 'number' }).notNull(),
    subscription: integer().notNull(),
    topicId: integer().notNull(),
    /** The epoch of the topic's log that this is a place in. */
    epoch: integer().notNull(),
    /** Where order matters: the topic's exceptions that were there, by their ids, and the last id that was. */
    lastException: bigint({ mode: 'number' }).notNull().default(0),
    /** Looked at and not handed out, because their source was busy. */
    waiting: seqRanges().notNull().default(sql`'{}'`),
    live: bigint({ mode: 'number' }).array().notNull().default(sql`'{}'`),
  },
  (table) => [primaryKey({ columns: [table.subscription, table.topicId, table.revision] })],
)

/** What a subscription's topics have in common, in revisions as well. */
export const states = subscriptionsSchema.table(
  'states',
  {
    revision: bigint({ mode: 'number' }).notNull(),
    /** Whatever was due up to then was dealt with. */
    horizon: time().notNull(),
    subscription: integer().notNull(),
    /** Events among the exceptions, and events that wait. */
    outstanding: integer().notNull(),
    waiting: integer().notNull(),
    /** Topics up to this id were looked at, whether they are the subscription's. */
    topicsUpTo: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.subscription, table.revision] })],
)

/** What is looked at and not settled: handed out together, or given back together. A batch is one row for each topic. */
export const exceptions = subscriptionsSchema.table(
  'exceptions',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** When it was handed out, extended, or last found to have been out while PostgreSQL was away. */
    since: time().notNull(),
    /** When it may be handed out: the end of its lease, or of the wait before a retry. */
    dueAt: time().notNull(),
    subscription: integer().notNull(),
    topicId: integer().notNull(),
    epoch: integer().notNull(),
    /** How often it was delivered. */
    attempt: integer().notNull(),
    /** How many seqs are open. */
    size: integer().notNull(),
    /** Whether a worker has it. Otherwise its worker has given it back. */
    leased: boolean().notNull(),
    /** A dead letter that somebody has redriven: it may lie below the floor, and does not move it. */
    redriven: boolean().notNull().default(false),
    /** The newest grant; null of what was redriven and not handed out since. */
    grantId: uuid(),
    open: seqRanges().notNull(),
    /** Grants that had it before. */
    priors: uuid().array().notNull().default(sql`'{}'`),
    worker: text(),
    /** Of its events, where order is by source. */
    sources: text().array(),
  },
  (table) => [
    index('exceptions_due').on(table.subscription, table.dueAt, table.id),
    index('exceptions_grant').on(table.grantId),
    index('exceptions_open').on(table.subscription, table.topicId, sql`lower(open)`).where(sql`NOT redriven`),
    index('exceptions_newest').on(table.subscription, table.topicId, table.id),
  ],
)

/** Deliveries that were given up. The event stays where it is. */
export const dead = subscriptionsSchema.table(
  'dead',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    seq: bigint({ mode: 'number' }).notNull(),
    at: time().notNull().default(sql`clock_timestamp()`),
    subscription: integer().notNull(),
    topicId: integer().notNull(),
    epoch: integer().notNull(),
    attempts: integer().notNull(),
    /** `exhausted`, or what the worker said. */
    reason: text().notNull(),
    source: text().notNull(),
    /** `open`, `redriven` or `discarded`. */
    state: text().notNull().default('open'),
    settledAt: time(),
    settledBy: text(),
    settledReason: text(),
  },
  (table) => [
    index('dead_of').on(table.subscription, table.id),
    index('dead_open').on(table.subscription, table.topicId).where(sql`state = 'open'`),
  ],
)

/** When PostgreSQL was last known to answer, and which start of it; one row. */
export const heartbeat = subscriptionsSchema.table(
  'heartbeat',
  {
    only: boolean().primaryKey().default(true),
    at: time().notNull(),
    startedAt: time().notNull(),
  },
  (table) => [check('heartbeat_only', sql`${table.only}`)],
)

/** When nobody could settle anything, because PostgreSQL or all gateways were away. Leases stood still. */
export const outages = subscriptionsSchema.table('outages', {
  beganAt: time().primaryKey(),
  endedAt: time().notNull(),
})
