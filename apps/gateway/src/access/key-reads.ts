import type { StoredKey } from '@sekali/store/keys'

/** What has to be known of a key to let it in. Whether it has expired is asked of the clock of this process. */
export type KeyRecord = Pick<StoredKey, 'hash' | 'grant' | 'expiresAt' | 'revokedAt'>

export type FindKeys = (ids: readonly string[]) => Promise<ReadonlyMap<string, KeyRecord>>

const idsInQuery = 500

interface Waiting {
  readonly id: string
  readonly resolve: (record: KeyRecord | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Reads keys that this process does not know: one query at a time, for all that have come meanwhile. So a crowd of keys, or
 * a flood of made-up ones, takes one connection of PostgreSQL. Each read begins after its call.
 */
export function createKeyReads(find: FindKeys): (id: string) => Promise<KeyRecord | undefined> {
  let waiting: Waiting[] = []
  let isReading = false

  async function readAll(): Promise<void> {
    isReading = true
    while (waiting.length > 0) {
      const these = waiting.slice(0, idsInQuery)
      waiting = waiting.slice(idsInQuery)
      try {
        const found = await find([...new Set(these.map(({ id }) => id))])
        for (const { id, resolve } of these) resolve(found.get(id))
      } catch (error) {
        for (const { reject } of these) reject(error)
      }
    }
    isReading = false
  }

  return (id) =>
    new Promise((resolve, reject) => {
      waiting.push({ id, resolve, reject })
      if (!isReading) void readAll()
    })
}

export const expired = 'The key or token has expired.'
export const revoked = 'The key has been revoked.'

/** Why a key that was found by its id is not let in; in words for whoever holds the whole of it. */
export function whyNot(record: KeyRecord | undefined, digest: string): string | undefined {
  if (record === undefined || record.hash.toString('hex') !== digest) return revoked
  if (record.revokedAt !== null) return revoked
  return expiryOf(record) <= Date.now() ? expired : undefined
}

export const expiryOf = ({ expiresAt }: KeyRecord): number =>
  expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt)
