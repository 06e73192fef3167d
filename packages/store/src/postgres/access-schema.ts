import { pgCore, sql } from './drizzle.ts'
import { time } from './schema.ts'

const { bigint, check, customType, jsonb, pgSchema, text } = pgCore

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** Who may come in. Apart from everything else, and a role's of its own: see the migrations, and ADR 27. */
export const access = pgSchema('access')

/** Keys, also those that are revoked or expired: the audit log names them. None is ever deleted. */
export const keys = access.table(
  'keys',
  {
    /** The public part of the key's text. */
    id: text().primaryKey(),
    name: text().notNull(),
    /** SHA-256 of the whole text, which is kept nowhere. */
    hash: bytea().notNull(),
    scopes: text().array().notNull(),
    /** Patterns. */
    topics: text().array().notNull(),
    /** The one source that it may publish as; null for any. */
    source: text(),
    eventsPerSecond: bigint({ mode: 'number' }),
    bytesPerSecond: bigint({ mode: 'number' }),
    createdAt: time().notNull().default(sql`now()`),
    /** The id of the key that made it, or who else did. */
    createdBy: text().notNull(),
    expiresAt: time(),
    revokedAt: time(),
    /** To the minute or so: gateways note it in packs. */
    lastUsedAt: time(),
    /** The id of the key that takes its place. */
    successor: text(),
  },
  // What keys.ts can parse: gateways look at many keys at once, and one bad row is not to shut out the others.
  ({ hash, scopes, topics, eventsPerSecond, bytesPerSecond }) => [
    check('keys_hash', sql`octet_length(${hash}) = 32`),
    check('keys_scopes', sql`${scopes} <@ ARRAY['publish', 'read', 'work', 'admin']`),
    check(
      'keys_topics',
      sql`array_position(${topics}, NULL) IS NULL AND array_to_string(${topics}, '') !~ ' ' AND
    ' ' || array_to_string(${topics}, ' ') ~ '^( (([A-Za-z0-9_-]+|\\*)\\.)*([A-Za-z0-9_-]+|\\*|>))+$'`,
    ),
    check('keys_limits', sql`${eventsPerSecond} > 0 AND ${bytesPerSecond} > 0`),
  ],
)

/** What administrators did. */
export const audit = pgSchema('audit')

/** The audit log: rows are added and never changed. */
export const entries = audit.table('entries', {
  /** 1, 2, 3 … in the order of COMMIT, without a gap: what is missing was taken away. */
  number: bigint({ mode: 'number' }).primaryKey(),
  at: time().notNull().default(sql`clock_timestamp()`),
  /** The id of a key, or who else it was. */
  actor: text().notNull(),
  /** The address it was asked from; null if it was this machine's. */
  client: text(),
  action: text().notNull(),
  /** The id or name of what it was done to. */
  target: text().notNull(),
  details: jsonb().notNull(),
})
