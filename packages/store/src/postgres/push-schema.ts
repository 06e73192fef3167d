import { pgCore, sql } from './drizzle.ts'
import { time } from './schema.ts'
import { subscriptions, subscriptionsSchema } from './subscriptions-schema.ts'

const { bigint, boolean, check, customType, index, integer, json, text, uuid } = pgCore

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** Where the events of a push subscription go, and how that goes. It is updated when that changes, and not for a delivery. */
export const endpoints = subscriptionsSchema.table(
  'endpoints',
  {
    subscription: integer()
      .primaryKey()
      .references(() => subscriptions.id, { onDelete: 'cascade' }),
    url: text().notNull(),
    /** Names of headers that it has besides ours; their values are sealed, and the tag tells whether they are the same. */
    headerNames: text().array().notNull().default(sql`'{}'`),
    headersSealed: bytes(),
    headersTag: bytes(),
    concurrency: integer().notNull(),
    ratePerS: integer(),
    timeoutS: integer().notNull(),
    /** `standard` or `event`. */
    body: text().notNull(),
    /** Events in a request, at most. With more than one its body is an array. */
    batchMax: integer().notNull(),
    /** `active`, `degraded` or `disabled`. Whether somebody has paused it stands with the subscription. */
    state: text().notNull().default('active'),
    /** Of what is disabled: `gone`, `failing` or `exhausted`. */
    why: text(),
    since: time().notNull().default(sql`clock_timestamp()`),
    /** Failures since the last success, the time of the first one and of the last one. */
    failures: integer().notNull().default(0),
    failingSince: time(),
    failedAt: time(),
    /** Until then nothing is handed out, and how often in a row that came about. */
    heldUntil: time(),
    holds: integer().notNull().default(0),
    /** Of one that failures have disabled: when an event may try it again. */
    probeAt: time(),
    /** The last dead letter that was there when it was last resumed: a later one stops it, if it is to stop. */
    deadSeen: bigint({ mode: 'number' }).notNull().default(0),
    changedAt: time().notNull().default(sql`clock_timestamp()`),
  },
  (table) => [
    check(
      'endpoints_words',
      sql`${table.body} IN ('standard', 'event') AND ${table.state} IN ('active', 'degraded', 'disabled')
    AND (${table.state} = 'disabled') = (${table.why} IS NOT NULL) AND ${table.why} IN ('gone', 'failing', 'exhausted')`,
    ),
    check(
      'endpoints_limits',
      sql`${table.concurrency} BETWEEN 1 AND 200 AND ${table.ratePerS} BETWEEN 1 AND 10000
    AND ${table.timeoutS} BETWEEN 1 AND 60 AND length(${table.url}) <= 2048
    AND ${table.batchMax} BETWEEN 1 AND 500`,
    ),
  ],
)

/** What deliveries are signed with, sealed. The newest one signs for ever, those before it for a day more. */
export const secrets = subscriptionsSchema.table(
  'secrets',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    subscription: integer()
      .notNull()
      .references(() => subscriptions.id, { onDelete: 'cascade' }),
    sealed: bytes().notNull(),
    createdAt: time().notNull().default(sql`clock_timestamp()`),
    createdBy: text().notNull(),
    expiresAt: time(),
  },
  (table) => [index('secrets_of').on(table.subscription, table.id)],
)

/** What was sent and what came back. Rows are added, and deleted when they are old: at the beginning of the ids. */
export const attempts = subscriptionsSchema.table(
  'attempts',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    seq: bigint({ mode: 'number' }),
    /** When it was begun. */
    at: time().notNull(),
    subscription: integer().notNull(),
    topicId: integer(),
    epoch: integer(),
    attempt: integer().notNull(),
    durationMs: integer().notNull(),
    /** Null where no answer came. */
    status: integer(),
    /** Seconds until the next one, if there is one. */
    retryInS: integer(),
    isCut: boolean().notNull().default(false),
    /** `event`, `probe` or `test`. */
    kind: text().notNull(),
    /** `delivered` or `failed`. */
    state: text().notNull(),
    /** A word of why it failed. */
    error: text(),
    /** {"url", "headers"}; values of headers of its own are left out. The body is the event, which the log has. */
    request: json().notNull(),
    /** {"headers"}; null where no answer came. */
    response: json(),
    /** The beginning of the answer's body. */
    responseBody: text(),
  },
  (table) => [
    index('attempts_of').on(table.subscription, table.id),
    index('attempts_event').on(table.subscription, table.topicId, table.seq, table.id),
  ],
)

/** Samples that somebody wants sent. A dispatcher sends them, and writes what came back among the attempts. */
export const tests = subscriptionsSchema.table('tests', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  askedAt: time().notNull().default(sql`clock_timestamp()`),
  takenAt: time(),
  attempt: bigint({ mode: 'number' }),
  subscription: integer()
    .notNull()
    .references(() => subscriptions.id, { onDelete: 'cascade' }),
  askedBy: text().notNull(),
})

/** Dispatchers that run, or ran lately. Which of them sees to which endpoint follows from it. */
export const dispatchers = subscriptionsSchema.table('dispatchers', {
  id: uuid().primaryKey(),
  at: time().notNull().default(sql`clock_timestamp()`),
  name: text().notNull(),
})
