/** What can go wrong at a route: what its row says, and what can go wrong before any route is asked. */
import type { ProblemCode } from './problems.ts'
import type { Problem, RouteSpec } from './route.ts'

/** The request is no HTTP, comes by a wrong name, is too slow or too large; there is no room; or the gateway has a fault. */
const anywhere = [
  ...(['bad_request', 'bad_request_target', 'bad_host', 'unknown_host'] as const),
  ...(['request_timeout', 'body_too_large', 'headers_too_large'] as const),
  ...(['expectation_failed', 'unsupported_transfer_coding'] as const),
  ...(['client_limit', 'overloaded', 'internal_error'] as const),
] satisfies readonly ProblemCode[]

/** What a page of another site can make a browser send is refused where something changes. */
const whereSomethingChanges = ['foreign_origin', 'unsupported_media_type'] satisfies readonly ProblemCode[]

/**
 * Whoever comes is asked for a key, which PostgreSQL knows, for a token of an issuer, or for a session, which Redis knows. A
 * session may change something from a page of the gateway alone. Keys have limits.
 */
const whereKeysAreAsked = [
  ...(['unauthorized', 'forbidden', 'rate_limited'] as const),
  ...(['store_unavailable', 'issuer_unavailable', 'broker_unavailable'] as const),
] satisfies readonly ProblemCode[]

const isSafe = (method: RouteSpec['method']): boolean => method === 'GET' || method === 'OPTIONS'

export const problemsOf = ({
  method,
  scope,
  problems,
}: Pick<RouteSpec, 'method' | 'scope' | 'problems'>): readonly Problem[] => [
  ...problems,
  ...(scope === 'none' ? [] : whereKeysAreAsked),
  ...anywhere,
  ...(isSafe(method) ? [] : whereSomethingChanges),
]
