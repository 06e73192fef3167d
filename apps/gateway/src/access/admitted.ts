/**
 * The keys and tokens that this process has let in, each by the SHA-256 of its whole text.
 *
 * All keys among them are read again every `refreshMs`, in one query, and at once when a hint says that one has changed. So a
 * revocation is in force within `refreshMs` and the time of a query, also if the hint is lost. What was begun with a key is
 * ended with it (life.ts). While PostgreSQL is away, a key stays as it was for `graceMs`; then nobody knows whether it
 * is still good, and it is let in no longer.
 */
import type { Grant } from '@sekali/core/access'
import { chunksOf } from '@sekali/core/chunks'
import type { Logger } from '@sekali/process/log'
import { createEntries } from './entries.ts'
import { type Added, createEntry, type Entry, type SessionOfKey } from './entry.ts'
import { expired, expiryOf, type FindKeys, type KeyRecord, revoked, whyNot } from './key-reads.ts'
import type { Principal } from './principals.ts'
import { repeat } from './repeat.ts'

export interface AdmittedOptions {
  readonly refreshMs?: number
  readonly graceMs?: number
  readonly noteMs?: number
  /** A token is verified again when it is shown after so long: its issuer may have taken back the key that signed it. */
  readonly verifyMs?: number
}

export interface AdmittedDeps {
  readonly find: FindKeys
  /** Remembers when keys were used last. */
  readonly note: (uses: ReadonlyMap<string, Date>) => Promise<void>
  readonly log: Logger
}

export interface Admitted extends AsyncDisposable {
  /** Whoever has this digest, if it is let in. */
  of(digest: string): Principal | undefined
  /** The same of a token that should be verified again, while its issuer is away. */
  unverified(digest: string): Principal | undefined
  /** `confirmedAt` is for one that PostgreSQL has not just been asked for. */
  addKey(digest: string, id: string, record: KeyRecord, confirmedAt?: number): Principal
  addToken(digest: string, grant: Grant, expiresAtMs: number): Principal
  /** A session of a key: it ends by itself, or with the key. */
  addSession(digest: string, session: SessionOfKey, record: KeyRecord, confirmedAt?: number): Principal
  /** The names of the sessions among them. */
  sessions(): Iterable<string>
  /** The session with this name was ended before its time. */
  endSession(name: string): void
  /** A token that was let in is not good any more. */
  endToken(digest: string, why: string): void
  /** The key with this id was revoked. */
  endKey(id: string): void
  /** A key may have changed: reads all of them again. Never rejects. */
  refresh(): Promise<void>
}

/** How long a token lets in at most: whether it is still good only its text could say, which nobody keeps. */
const tokenMs = 24 * 60 * 60_000
const idsInQuery = 1_000
const tenMinutes = 10 * 60_000
/** What was not used for so long, and has nothing open, is not read again and again. */
const idleMs = tenMinutes

export function createAdmitted(
  { find, note, log }: AdmittedDeps,
  { refreshMs = 2_000, graceMs = tenMinutes, noteMs = 60_000, verifyMs = tenMinutes }: AdmittedOptions = {},
): Admitted {
  const keys = createEntries()
  const tokens = createEntries()
  let uses = new Map<string, Date>()
  let refreshing: Promise<void> | undefined
  let again: Promise<void> | undefined
  let isAway = false

  const mapOf = ({ keyId }: Pick<Added, 'keyId'> | Entry) => (keyId === undefined ? tokens : keys)

  function add(digest: string, added: Added): Principal {
    const entries = mapOf(added)
    const quota = entries.quotaOf(added.keyId, added.grant)
    const entry = createEntry(added, quota, (one) => lookAfter(digest, one))
    entries.add(digest, entry)
    return entry.principal
  }

  /** What is begun with one that was forgotten meanwhile would be ended by nobody. */
  function lookAfter(digest: string, entry: Entry): void {
    const entries = mapOf(entry)
    const current = entries.of(digest)
    if (current === undefined) entries.add(digest, entry)
    else if (current !== entry) current.life.onEnd((why) => entry.life.end(why))
  }

  /** One that is verified again stays who it was: what is open with it goes on. */
  function addToken(digest: string, grant: Grant, expiresAtMs: number): Principal {
    const entry = tokens.of(digest)
    if (entry === undefined) {
      const endsAtMs = Math.min(expiresAtMs, Date.now() + tokenMs)
      return add(digest, { grant, expiresAtMs: endsAtMs, keyDigest: digest })
    }
    entry.confirmedAt = performance.now()
    return entry.principal
  }

  function end(digest: string, entry: Entry, why: string): void {
    mapOf(entry).delete(digest)
    entry.life.end(why)
  }

  function endToken(digest: string, why: string): void {
    const entry = tokens.of(digest)
    if (entry !== undefined) end(digest, entry, why)
  }

  /** Unless it has expired. */
  function known(digest: string): Entry | undefined {
    const entry = keys.of(digest) ?? tokens.of(digest)
    if (entry === undefined || entry.expiresAtMs > Date.now()) return entry
    end(digest, entry, expired)
    return undefined
  }

  /** Ends what has expired, forgets what is idle, and remembers what was used. */
  function tidy(): void {
    const now = performance.now()
    for (const [digest, entry] of [...keys, ...tokens]) {
      if (entry.isUsed) {
        entry.usedAt = now
        if (entry.keyId !== undefined) uses.set(entry.keyId, new Date())
        entry.isUsed = false
      }
      if (entry.expiresAtMs <= Date.now()) end(digest, entry, expired)
      else if (!entry.life.isInUse && now - entry.usedAt > idleMs) mapOf(entry).delete(digest)
    }
  }

  async function readAgain(): Promise<void> {
    tidy()
    const all = [...keys]
    const askedAt = performance.now()
    try {
      for (const chunk of chunksOf(all, idsInQuery)) {
        const found = await find(chunk.map(([, { keyId }]) => String(keyId)))
        for (const [digest, entry] of chunk) confirm(digest, entry, found.get(String(entry.keyId)), askedAt)
      }
      if (isAway) log.info('keys can be checked again')
      isAway = false
    } catch (err) {
      if (!isAway)
        log.warn({ err, graceMs }, 'keys cannot be checked: those that are known go on for a while')
      isAway = true
      for (const [digest, entry] of all) {
        if (performance.now() - entry.confirmedAt > graceMs) end(digest, entry, unconfirmed)
      }
    }
  }

  function confirm(digest: string, entry: Entry, record: KeyRecord | undefined, askedAt: number): void {
    const why = whyNot(record, entry.keyDigest)
    if (why === undefined && record !== undefined) {
      entry.confirmedAt = askedAt
      entry.expiresAtMs = Math.min(expiryOf(record), entry.endsAtMs)
    } else end(digest, entry, why ?? revoked)
  }

  /** One after the other. Whoever calls while one is under way gets the next: it begins after the call. */
  function refresh(): Promise<void> {
    if (refreshing !== undefined) {
      again ??= refreshing.then(() => {
        again = undefined
        return refresh()
      })
      return again
    }
    refreshing = readAgain().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  async function noteUses(): Promise<void> {
    if (uses.size === 0) return
    const these = uses
    uses = new Map()
    await note(these).catch((err: unknown) => {
      log.debug({ err }, 'uses of keys were not noted')
      uses = new Map([...these, ...uses])
    })
  }

  const refreshes = repeat(refreshMs, refresh)
  const notes = repeat(noteMs, noteUses)

  return {
    of(digest) {
      const entry = known(digest)
      if (entry === undefined) return undefined
      if (entry.keyId === undefined && performance.now() - entry.confirmedAt > verifyMs) return undefined
      entry.isUsed = true
      return entry.principal
    },
    unverified(digest) {
      const entry = known(digest)
      const isLate = entry === undefined || performance.now() - entry.confirmedAt > verifyMs + graceMs
      return isLate ? undefined : entry.principal
    },
    addKey: (digest, keyId, record, at) => add(digest, { ...ofRecord(record), keyId, at }),
    addToken,
    addSession: (digest, session, record, at) =>
      add(digest, { ...ofRecord(record), keyId: session.keyId, session, at }),
    endToken,
    sessions: () => keys.sessions,
    endSession(name) {
      const digest = keys.ofSession(name)
      const entry = digest === undefined ? undefined : keys.of(digest)
      if (digest !== undefined && entry !== undefined) end(digest, entry, loggedOut)
    },
    endKey(id) {
      for (const [digest, entry] of [...keys.ofKey(id)]) end(digest, entry, revoked)
    },
    refresh,
    async [Symbol.asyncDispose]() {
      await refreshes[Symbol.asyncDispose]()
      await notes[Symbol.asyncDispose]()
      tidy()
      await refreshing
      await noteUses()
    },
  }
}

const ofRecord = (record: KeyRecord) => ({
  grant: record.grant,
  expiresAtMs: expiryOf(record),
  keyDigest: record.hash.toString('hex'),
})

const loggedOut = 'The session was ended.'
const unconfirmed = 'PostgreSQL has not confirmed this key for too long.'
