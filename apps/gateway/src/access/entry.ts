/** What this process keeps of a key, session or token that it has let in. */
import type { Grant } from '@sekali/core/access'
import { createLife, type OwnLife } from './life.ts'
import type { Principal } from './principals.ts'
import type { Quota } from './quota.ts'
import type { Session } from './session-text.ts'

export interface Entry {
  readonly principal: Principal
  readonly life: OwnLife
  /** Of a key or session; undefined for a token, which nobody can revoke. */
  readonly keyId: string | undefined
  /** The SHA-256 of the key itself. That of a session is another. */
  readonly keyDigest: string
  /** When it ends whatever becomes of its key, in milliseconds since 1970. */
  readonly endsAtMs: number
  expiresAtMs: number
  /** When PostgreSQL or the issuer's signature confirmed it last, of a clock that never steps. */
  confirmedAt: number
  isUsed: boolean
  usedAt: number
}

export type SessionOfKey = Pick<Session, 'keyId' | 'name' | 'endsAtMs'>

export interface Added {
  readonly keyId?: string
  readonly grant: Grant
  readonly expiresAtMs: number
  readonly keyDigest: string
  readonly session?: SessionOfKey
  /** When it was confirmed, if not just now. */
  readonly at?: number | undefined
}

/** `onWatched` is called when something is begun with it that is to end with it. */
export function createEntry(added: Added, quota: Quota, onWatched: (entry: Entry) => void): Entry {
  const { keyId, grant, keyDigest, session, at = performance.now() } = added
  const endsAtMs = session?.endsAtMs ?? Number.POSITIVE_INFINITY
  const life = createLife(() => onWatched(entry))
  const principal: Principal = {
    grant,
    life,
    quota,
    kind: keyId === undefined ? 'token' : session === undefined ? 'key' : 'session',
    endsAtMs: () => entry.expiresAtMs,
    ...(session && { session: session.name }),
  }
  const entry: Entry = {
    principal,
    life,
    keyId,
    keyDigest,
    endsAtMs,
    expiresAtMs: Math.min(added.expiresAtMs, endsAtMs),
    confirmedAt: at,
    isUsed: true,
    usedAt: at, // where it is older, it is corrected when it is used
  }
  return entry
}
