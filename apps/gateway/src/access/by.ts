import type { IncomingMessage } from 'node:http'
import type { By } from '@sekali/store/audit'
import type { Clients } from '../clients/clients.ts'
import { principalOf } from './principals.ts'

/** Who asks for a change, for the audit log. An IPv6 client is its network, as for the limits. */
export function byOf(request: IncomingMessage | undefined, clients: Clients): By {
  const { grant, kind, endsAtMs } = principalOf(request)
  // PostgreSQL knows when a key ends.
  const until = kind === 'token' ? new Date(endsAtMs()) : undefined
  return { actor: grant.holder, client: clients.of(request), until }
}
