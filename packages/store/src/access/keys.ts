import type { Grant, Scope } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import type { Log } from '../postgres/log.ts'
import { utc } from '../postgres/time.ts'

/** A key as it is stored. `grant.holder` is its id. Times are UTC. */
export interface StoredKey {
  readonly id: string
  readonly name: string
  /** SHA-256 of the whole text. */
  readonly hash: Buffer
  readonly grant: Grant
  readonly createdAt: string
  readonly createdBy: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  /** To the minute or so. */
  readonly lastUsedAt: string | null
  /** The id of the key that takes its place. */
  readonly successor: string | null
}

/** Whether it opens anything at a time, in milliseconds since 1970. */
export const isLiveAt = ({ revokedAt, expiresAt }: StoredKey, ms: number): boolean =>
  revokedAt === null && (expiresAt === null || ms < Date.parse(expiresAt))

/**
 * Those of the keys that there are, by id, also revoked and expired ones. A row that is no key counts as none, and is
 * logged. Rejects with `StoreUnavailable`.
 */
export async function findKeys(
  store: Store,
  ids: readonly string[],
  log?: Log,
): Promise<Map<string, StoredKey>> {
  const { rows } = await store.pool
    .query<KeyRow>(`SELECT ${keyColumns} FROM access.keys k WHERE id = ANY ($1)`, [ids])
    .catch((error: unknown) => {
      throw asStoreError(error, 'look-up of keys')
    })
  return new Map(keysOf(rows, log).map((key) => [key.id, key]))
}

export interface KeysPage {
  /** The id of the key behind which to go on. */
  readonly after?: string | undefined
  readonly limit: number
}

/**
 * A page of all keys, oldest first; `undefined` if there is none of the id behind which to go on. Rejects with
 * `StoreUnavailable`.
 */
export async function listKeys(
  store: Store,
  { after, limit }: KeysPage,
): Promise<readonly StoredKey[] | undefined> {
  if (after !== undefined && !(await findKeys(store, [after])).has(after)) return undefined
  const { rows } = await store.pool
    .query<KeyRow>(
      `SELECT ${keyColumns} FROM access.keys k
       WHERE $1::text IS NULL
         OR (k.created_at, k.id COLLATE "C") > (SELECT a.created_at, a.id COLLATE "C" FROM access.keys a WHERE a.id = $1)
       ORDER BY k.created_at, k.id COLLATE "C" LIMIT $2`,
      [after ?? null, limit],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'list of keys')
    })
  return keysOf(rows)
}

/** PostgreSQL checks rows, and yet one that got in otherwise must not shut out all others. */
export function keysOf(rows: readonly KeyRow[], log?: Log): StoredKey[] {
  const keys: StoredKey[] = []
  for (const row of rows) {
    try {
      keys.push(keyOf(row))
    } catch {
      log?.warn({ id: row.id }, 'a row of access.keys is no key') // its words quote the row
    }
  }
  return keys
}

/** How many keys open something now, by PostgreSQL's clock. Rejects with `StoreUnavailable`. */
export async function countLiveKeys(store: Store): Promise<number> {
  const { rows } = await store.pool
    .query<{ live: string }>(
      `SELECT count(*) AS live FROM access.keys
       WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'count of keys')
    })
  return Number(rows[0]?.live)
}

export interface KeyRow {
  readonly id: string
  readonly name: string
  readonly hash: Buffer
  readonly scopes: Scope[]
  readonly topics: string[]
  readonly source: string | null
  readonly events: string | null
  readonly bytes: string | null
  readonly created: string
  readonly created_by: string
  readonly expires: string | null
  readonly revoked: string | null
  readonly used: string | null
  readonly successor: string | null
}

/** Of `access.keys k`. */
export const keyColumns = `k.id, k.name, k.hash, k.scopes, k.topics, k.source, k.events_per_second AS events,
  k.bytes_per_second AS bytes, k.created_at::text AS created, k.created_by, k.expires_at::text AS expires,
  k.revoked_at::text AS revoked, k.last_used_at::text AS used, k.successor`

export function keyOf(row: KeyRow): StoredKey {
  const time = (printed: string | null) => (printed === null ? null : utc(printed))
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    grant: {
      holder: row.id,
      scopes: row.scopes,
      topics: row.topics.map(parsePattern),
      ...(row.source !== null && { source: row.source }),
      ...(row.events !== null && { eventsPerSecond: Number(row.events) }),
      ...(row.bytes !== null && { bytesPerSecond: Number(row.bytes) }),
    },
    createdAt: utc(row.created),
    createdBy: row.created_by,
    expiresAt: time(row.expires),
    revokedAt: time(row.revoked),
    lastUsedAt: time(row.used),
    successor: row.successor,
  }
}
