/** Asks for the scope of a route before its handler runs, so that no handler can forget it. */
import type { IncomingMessage } from 'node:http'
import type { RouteSpec } from '@sekali/api/routes'
import type { Scope } from '@sekali/core/access'
import { type Answer, sendEarly, toResponse } from '../http/reply.ts'
import type { Handler, Route } from '../http/router.ts'
import { refusalOfScope } from './may.ts'
import { grantOf } from './principals.ts'

export type Served = Pick<Route, 'handler' | 'direct'>

/** Called when somebody was refused what administrators do, with the path as the table of routes has it. */
export type OnDenied = (request: IncomingMessage, path: string) => void

/** The same handlers, behind the scope. */
export function guarded(
  { scope, path }: Pick<RouteSpec, 'scope' | 'path'>,
  { handler, direct }: Served,
  onDenied: OnDenied,
): Served {
  if (scope === 'none') return { handler, ...(direct && { direct }) }
  return {
    handler:
      scope === 'admin'
        ? admins(guardedHandler(scope, handler), (request) => onDenied(request, path))
        : guardedHandler(scope, handler),
    ...(direct && {
      direct: async (request, response) => {
        const refused = refusalFor(scope, request)
        if (refused === undefined) await direct(request, response)
        else sendEarly(response, refused)
      },
    }),
  }
}

const refusalFor = (scope: Scope, request: IncomingMessage | undefined): Answer | undefined => {
  const grant = grantOf(request)
  return grant.scopes.includes(scope) ? undefined : refusalOfScope(grant, scope)
}

const guardedHandler =
  (scope: Scope, handler: Handler): Handler =>
  (c) => {
    const refused = refusalFor(scope, c.env?.incoming)
    return refused === undefined ? handler(c) : toResponse(refused)
  }

/** Also what the handler itself refuses: another topic than the key's. */
const admins =
  (handler: Handler, onDenied: (request: IncomingMessage) => void): Handler =>
  async (c) => {
    const response = await handler(c)
    if (response.status === 403 && c.env?.incoming !== undefined) onDenied(c.env.incoming)
    return response
  }
