import { type RouteId, routes } from '@sekali/api/routes'
import { nameOf } from '@sekali/api/words'

/** The end of a command's help: the routes that it calls, and what a key must be allowed to do for each. */
export const calls = (...ids: readonly RouteId[]): string =>
  routes
    .filter(({ id }) => ids.includes(id))
    .map((route) => `\nCalls ${nameOf(route)}; a key needs the scope ${route.scope}.`)
    .join('')
