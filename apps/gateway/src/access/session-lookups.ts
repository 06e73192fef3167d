import type { Answer } from '../http/reply.ts'
import type { Admitted } from './admitted.ts'
import { badSession } from './bearer.ts'
import { type KeyRecord, whyNot } from './key-reads.ts'
import type { Principal } from './principals.ts'
import { isSigned, makeSecret, type Session } from './session-text.ts'

export interface SessionLookupDeps {
  /** The secret that signs sessions, if there is one. */
  readonly readSecret: () => Promise<string | null>
  readonly findEnded: (names: readonly string[]) => Promise<ReadonlySet<string>>
}

interface Parts extends SessionLookupDeps {
  /** The key that was just read, or the one that is known while PostgreSQL is away. */
  readonly readKey: (id: string) => Promise<{ readonly record?: KeyRecord | undefined; readonly at?: number }>
  readonly admitted: Pick<Admitted, 'addSession'>
}

/** Nobody has them. */
const noSecret = makeSecret()
const noHash = Buffer.alloc(32)

/**
 * Lets a session in that is shown for the first time. The key is read last: what is admitted at once after that is ended with
 * the key. An unknown key, a wrong signature and a session that was ended are answered alike. Rejects as the servers do.
 */
export function createSessionLookups({ readSecret, findEnded, readKey, admitted }: Parts) {
  return async (session: Session, digest: string): Promise<Principal | Answer> => {
    const [secret, over] = await Promise.all([readSecret(), findEnded([session.name])])
    const { record, at } = await readKey(session.keyId)
    const isOurs = isSigned(secret ?? noSecret, session, record?.hash ?? noHash)
    if (secret === null || record === undefined || !isOurs || over.has(session.name)) return badSession()
    const why = whyNot(record, record.hash.toString('hex'))
    if (why !== undefined) return badSession(why)
    return admitted.addSession(digest, session, record, at)
  }
}
