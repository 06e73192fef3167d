import type { Scope } from '@sekali/core/access'

/** A route of the HTTP API, as a client knows it. Whoever serves it adds the handler. */
export interface RouteSpec {
  /** One word of its own, in camelCase: what the route is called in OpenAPI, in logs and in code. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS'
  /** As Hono writes it: `:name` is one segment, `:key{[^]+}` is the rest of the path. */
  readonly path: string
  /** What a key must be allowed to do; `none` is for everyone, also without a key. */
  readonly scope: Scope | 'none'
  /** In a line, for those who look for a route. */
  readonly summary: string
}
