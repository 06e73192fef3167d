import type { RouteId } from '@sekali/api/routes'
import type { Bounded } from '../http/bounded.ts'
import type { Handler } from '../http/router.ts'
import { audit } from './audit.ts'
import { create, revoke, rotate } from './change.ts'
import type { KeyDeps } from './deps.ts'
import { list, show } from './read.ts'

type KeyRoute = Extract<
  RouteId,
  'createKey' | 'listKeys' | 'readKey' | 'rotateKey' | 'revokeKey' | 'readAudit'
>

/** All about keys, with a share of PostgreSQL for each client. */
export function keyHandlersOf(deps: KeyDeps & Bounded): Record<KeyRoute, { readonly handler: Handler }> {
  const { counted } = deps.responses
  const { slotted } = deps.slots
  return {
    createKey: { handler: slotted(create(deps)) },
    listKeys: { handler: counted(slotted(list(deps))) },
    readKey: { handler: slotted(show(deps)) },
    rotateKey: { handler: slotted(rotate(deps)) },
    revokeKey: { handler: slotted(revoke(deps)) },
    readAudit: { handler: counted(slotted(audit(deps))) },
  }
}
