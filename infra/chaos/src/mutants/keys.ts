// Ways to break who may do what.
import type { Mutant } from './mutant.ts'

export const keyMutants: readonly Mutant[] = [
  {
    name: 'pattern-unchecked',
    breaks: 'a key reads, follows and replays topics that it is not for',
    edits: [
      {
        file: 'apps/gateway/src/access/may.ts',
        find: 'if (allowsPattern(grant, pattern ?? everyTopic)) return undefined',
        replace: 'if (grant.topics.length > 0 || pattern === everyTopic) return undefined',
      },
    ],
    test: { project: 'gateway', file: 'matrix', name: 'GET /events: read' },
  },
  {
    name: 'revocation-skipped',
    breaks: 'a gateway that knows a key does not look whether it was revoked',
    edits: [
      {
        file: 'apps/gateway/src/access/key-reads.ts',
        find: '  if (record.revokedAt !== null) return revoked\n',
        replace: '',
      },
    ],
    test: { project: 'gateway', file: 'keys-door', name: 'a revoked key is refused soon' },
  },
  {
    name: 'streams-outlive-keys',
    breaks: 'a revoked key opens nothing any more, and what is open goes on',
    edits: [
      {
        file: 'apps/gateway/src/access/admitted.ts',
        find: '    entry.life.end(why)\n',
        replace: '',
      },
    ],
    test: { project: 'gateway:more', file: 'keys-ending', name: 'a tail says why and ends' },
  },
  {
    name: 'secret-uncompared',
    breaks: 'whoever knows the id of a key, which is in logs, has the key',
    edits: [
      {
        file: 'apps/gateway/src/access/authenticate.ts',
        find: 'record === undefined || !isTheirs',
        replace: 'record === undefined || isTheirs === undefined',
      },
      {
        file: 'apps/gateway/src/access/key-reads.ts',
        find: "record === undefined || record.hash.toString('hex') !== digest",
        replace: 'record === undefined',
      },
    ],
    test: { project: 'gateway', file: 'keys-door', name: 'answered alike, once and again' },
  },
  {
    name: 'actor-unchecked',
    breaks: 'a key that is revoked makes others meanwhile, and those live on',
    edits: [
      {
        file: 'packages/store/migrations/0014_keys.sql',
        find: ' OR own.revoked_at IS NOT NULL THEN RETURN NULL',
        replace: ' THEN RETURN NULL',
      },
    ],
    test: { project: 'store', file: 'key-changes', name: 'a key that is revoked or has expired' },
  },
  {
    name: 'expiry-unbounded',
    breaks: 'a key that ends in a minute makes one that never does',
    edits: [
      {
        file: 'packages/store/migrations/0014_keys.sql',
        find: "\tIF coalesce(create_key.expires_at, 'infinity') > ends THEN RETURN 'beyond_actor'; END IF;\n",
        replace: '',
      },
    ],
    test: { project: 'store', file: 'key-changes', name: 'nobody makes a key that outlives' },
  },
]
