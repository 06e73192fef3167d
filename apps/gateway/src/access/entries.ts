/** What was let in, by the SHA-256 of what was shown; of keys and their sessions also by the key, whose limits they share. */
import type { Grant } from '@sekali/core/access'
import type { Entry } from './entry.ts'
import { createQuota, type Quota } from './quota.ts'

export interface Entries extends Iterable<[digest: string, entry: Entry]> {
  of(digest: string): Entry | undefined
  /** Of a key: itself and its sessions. */
  ofKey(keyId: string): Iterable<[digest: string, entry: Entry]>
  /** The digest of a session with this name. */
  ofSession(name: string): string | undefined
  readonly sessions: Iterable<string>
  readonly size: number
  /** Beyond the most the first that has nothing under way is forgotten. */
  add(digest: string, entry: Entry): void
  delete(digest: string): void
  /** One for a key and all its sessions: who logs in again may not publish more. */
  quotaOf(keyId: string | undefined, grant: Grant): Quota
}

/** Keys with their sessions, or tokens. They are read again when they are shown again. */
const entriesMax = 10_000
/** Sessions of one key: who logs in again and again makes a gateway forget their own sessions, and nobody else's. */
const sessionsOfKeyMax = 100

export function createEntries(): Entries {
  const entries = new Map<string, Entry>()
  const byKey = new Map<string, Map<string, Entry>>()
  const bySession = new Map<string, string>()

  const ofKey = (keyId: string | undefined) => byKey.get(keyId ?? '') ?? new Map<string, Entry>()

  function forget(digest: string): void {
    const entry = entries.get(digest)
    if (entry === undefined) return
    entries.delete(digest)
    const { keyId, principal } = entry
    if (principal.session !== undefined) bySession.delete(principal.session)
    const theirs = ofKey(keyId)
    theirs.delete(digest)
    if (theirs.size === 0) byKey.delete(keyId ?? '')
  }

  /** The oldest that has nothing under way, as what is under way must go on being read again; or else the oldest ends. */
  function forgetSession(keyId: string | undefined): void {
    const sessions = [...ofKey(keyId)].filter(([, { principal }]) => principal.session !== undefined)
    if (sessions.length < sessionsOfKeyMax) return
    const [digest, entry] = sessions.find(([, { life }]) => !life.isInUse) ?? sessions[0] ?? []
    if (digest === undefined || entry === undefined) return
    forget(digest)
    if (entry.life.isInUse) entry.life.end(tooMany)
  }

  function forgetOne(): void {
    for (const [digest, { life }] of entries) {
      if (life.isInUse) continue
      forget(digest)
      return
    }
  }

  return {
    of: (digest) => entries.get(digest),
    ofKey,
    ofSession: (name) => bySession.get(name),
    sessions: { [Symbol.iterator]: () => bySession.keys() },
    get size() {
      return entries.size
    },
    add(digest, entry) {
      const { keyId, principal } = entry
      forget(digest)
      if (principal.session !== undefined) forgetSession(keyId)
      if (entries.size >= entriesMax) forgetOne()
      entries.set(digest, entry)
      if (principal.session !== undefined) bySession.set(principal.session, digest)
      if (keyId !== undefined) byKey.set(keyId, ofKey(keyId).set(digest, entry))
    },
    delete: forget,
    quotaOf(keyId, grant) {
      for (const [, { principal }] of ofKey(keyId)) {
        const { eventsPerSecond, bytesPerSecond } = principal.grant
        if (eventsPerSecond !== grant.eventsPerSecond || bytesPerSecond !== grant.bytesPerSecond) continue
        return principal.quota
      }
      return createQuota(grant)
    },
    [Symbol.iterator]: () => entries.entries(),
  }
}

const tooMany = `This key has more than ${sessionsOfKeyMax} sessions here: the oldest has ended.`
