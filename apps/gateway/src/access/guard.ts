/** Asks for the scope of a route before its handler runs, so that no handler can forget it. */
import type { IncomingMessage } from 'node:http'
import type { RouteSpec } from '@sekali/api/routes'
import type { AuthMode } from '@sekali/process/auth'
import { type Answer, sendEarly, toResponse } from '../http/reply.ts'
import type { Handler, Route } from '../http/router.ts'
import { refusalOfScope } from './may.ts'
import { grantOf, isMarked, nobody } from './principals.ts'

export type Served = Pick<Route, 'handler' | 'direct' | 'bodyBytesMax'>

/** Called when somebody was refused what administrators do, with the path as the table of routes has it. */
export type OnDenied = (request: IncomingMessage, path: string) => void

export interface GuardDeps {
  readonly auth: AuthMode
  readonly onDenied: OnDenied
}

/** The same handlers, behind the scope. */
export function guarded(
  { scope, path }: Pick<RouteSpec, 'scope' | 'path'>,
  { handler, direct }: Served,
  { auth, onDenied }: GuardDeps,
): Served {
  if (scope === 'none') return { handler, ...(direct && { direct }) }
  const refusalFor = (request: IncomingMessage | undefined): Answer | undefined => {
    // Where keys are asked for, what has come past the door is nobody's.
    const grant = auth === 'keys' && !isMarked(request) ? nobody.grant : grantOf(request)
    const mayPass = scope === 'any' ? grant !== nobody.grant : grant.scopes.includes(scope)
    return mayPass ? undefined : refusalOfScope(grant, scope)
  }
  const behind: Handler = (c) => {
    const refused = refusalFor(c.env?.incoming)
    return refused === undefined ? handler(c) : toResponse(refused)
  }
  return {
    handler: scope === 'admin' ? admins(behind, (request) => onDenied(request, path)) : behind,
    ...(direct && {
      direct: async (request, response) => {
        const refused = refusalFor(request)
        if (refused === undefined) await direct(request, response)
        else sendEarly(response, refused)
      },
    }),
  }
}

/** Also what the handler itself refuses: another topic than the key's. */
const admins =
  (handler: Handler, onDenied: (request: IncomingMessage) => void): Handler =>
  async (c) => {
    const response = await handler(c)
    if (response.status === 403 && c.env?.incoming !== undefined) onDenied(c.env.incoming)
    return response
  }
