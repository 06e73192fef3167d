import type { IncomingMessage } from 'node:http'
import type { By } from '@sekali/store/audit'
import type { Clients } from '../clients/clients.ts'
import { grantOf } from './principals.ts'

/** Who asks for a change, for the audit log. An IPv6 client is its network, as for the limits. */
export const byOf = (request: IncomingMessage | undefined, clients: Clients): By => ({
  actor: grantOf(request).holder,
  client: clients.of(request),
})
