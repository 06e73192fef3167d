/**
 * All keys that work, for the time when PostgreSQL is away: also those that nobody has shown since this process started, or
 * for a while. Without them a gateway that starts shortly before PostgreSQL goes away would take no event.
 *
 * They are read at the start, and again when a key has changed: PostgreSQL is asked for that every `refreshMs`, and at once
 * when a hint comes. Nobody is let in by them while PostgreSQL answers, so a revocation is in force as without them. They
 * are good for `graceMs` after PostgreSQL has confirmed them last, like those that were let in (admitted.ts).
 */
import type { KeyRecord } from './key-reads.ts'
import { repeat } from './repeat.ts'

export interface LiveKeysDeps {
  /** Another one after each change of keys. */
  readonly readVersion: () => Promise<string>
  readonly readLive: (keysMax: number) => Promise<readonly KeyRecord[]>
}

export interface LiveKeysOptions {
  readonly refreshMs?: number
  readonly graceMs?: number
}

interface LiveKey {
  readonly record: KeyRecord
  /** When PostgreSQL confirmed it last, of a clock that never steps. */
  readonly confirmedAt: number
}

export interface LiveKeys extends AsyncDisposable {
  /** By SHA-256 of the whole text: whoever has only the id learns nothing. */
  of(digest: string): LiveKey | undefined
  /** Whether PostgreSQL has confirmed them lately. If not, nobody's key is good while it is away. */
  readonly areKnown: boolean
  /** By its id, for whoever checks the rest themselves. */
  ofId(id: string): LiveKey | undefined
  /** The key with this id has changed, or may have: it is not good until it is read again. */
  doubt(id: string): void
}

/** As many as there may be. */
const keysMax = 10_000

export function createLiveKeys(
  { readVersion, readLive }: LiveKeysDeps,
  { refreshMs = 2_000, graceMs = 10 * 60_000 }: LiveKeysOptions = {},
): LiveKeys {
  let keys = new Map<string, KeyRecord>()
  let keysById = new Map<string, KeyRecord>()
  let version: string | undefined
  let confirmedAt: number | undefined
  let reading: Promise<void> | undefined
  let doubts = 0

  async function readAgain(): Promise<void> {
    const askedAt = performance.now()
    const doubtsBefore = doubts
    const now = await readVersion()
    if (now !== version) {
      // Read after the version: a change between the two makes another version, and is read the next time.
      const live = await readLive(keysMax)
      if (doubts !== doubtsBefore) return // one of them may be older than the change
      keys = new Map(live.map((record) => [record.hash.toString('hex'), record]))
      keysById = new Map(live.map((record) => [record.grant.holder, record]))
      version = now
    }
    confirmedAt = askedAt
  }

  /** What fails is tried again the next time; that PostgreSQL is away is logged by whoever checks the keys in use. */
  function refresh(): Promise<void> {
    reading ??= readAgain()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  void refresh()
  const refreshes = repeat(refreshMs, refresh)

  const areKnown = () => confirmedAt !== undefined && performance.now() - confirmedAt <= graceMs
  const ifConfirmed = (record: KeyRecord | undefined): LiveKey | undefined =>
    record !== undefined && confirmedAt !== undefined && areKnown() ? { record, confirmedAt } : undefined

  return {
    get areKnown() {
      return areKnown()
    },
    of: (digest) => ifConfirmed(keys.get(digest)),
    ofId: (id) => ifConfirmed(keysById.get(id)),
    doubt(id) {
      doubts += 1
      version = undefined
      const record = keysById.get(id)
      keysById.delete(id)
      if (record !== undefined) keys.delete(record.hash.toString('hex'))
      void refresh()
    },
    async [Symbol.asyncDispose]() {
      await refreshes[Symbol.asyncDispose]()
      await reading
    },
  }
}
