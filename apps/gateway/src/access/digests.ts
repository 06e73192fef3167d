/**
 * The SHA-256 of the keys and tokens that were let in lately, by the Authorization header that brought them. To hash costs
 * as much as to read the event that comes with it, and nearly every request brings what the one before it has brought. A
 * header is remembered for `keepMs` at most: what is remembered is a sum, and never whether the key is good.
 *
 * A map compares texts only where their hashes are equal, and those have a seed that nobody outside this process knows. So
 * the time that a look-up takes tells nothing about the characters of another's key.
 */
export interface Digests {
  /** Undefined if the header was not remembered, or is forgotten. */
  of(header: string): string | undefined
  keep(header: string, digest: string): void
}

const keepMs = 2_000
const headersMax = 1_000

export function createDigests(): Digests {
  const digests = new Map<string, string>()
  return {
    of: (header) => digests.get(header),
    keep(header, digest) {
      if (digests.size >= headersMax) return
      if (digests.size === 0) setTimeout(() => digests.clear(), keepMs).unref()
      digests.set(header, digest)
    },
  }
}
