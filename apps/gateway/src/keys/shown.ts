import { isLiveAt, type StoredKey } from '@sekali/store/keys'

/** A key as answers show it: without its text, which nobody here has, and without its hash. */
export function shown(key: StoredKey, nowMs: number) {
  const { id, name, grant } = key
  return {
    id,
    name,
    status: statusOf(key, nowMs),
    scopes: grant.scopes,
    topics: grant.topics.map(({ text }) => text),
    source: grant.source,
    events_per_second: grant.eventsPerSecond,
    bytes_per_second: grant.bytesPerSecond,
    created_at: key.createdAt,
    created_by: key.createdBy,
    expires_at: key.expiresAt,
    revoked_at: key.revokedAt,
    last_used_at: key.lastUsedAt,
    successor: key.successor,
  }
}

function statusOf(key: StoredKey, nowMs: number): 'live' | 'expired' | 'revoked' {
  if (key.revokedAt !== null) return 'revoked'
  return isLiveAt(key, nowMs) ? 'live' : 'expired'
}
