/**
 * Hono's router made of a table of routes. The table is the only list: what a path allows is looked up in the router
 * that serves it, and the door takes the words of all paths from the same rows.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Logger } from '@sekali/process/log'
import { type Context, Hono } from 'hono'
import { problem, refusalOf } from './problem.ts'
import { reply, toResponse } from './reply.ts'

type Env = { Bindings: HttpBindings }

export type Handler = (c: Context<Env>) => Response | Promise<Response>

/** Serves node:http's own request and response. It never rejects. */
export type DirectHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Methods of which HEAD and OPTIONS follow; in the order in which an Allow header names them. */
const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const

export interface Route {
  /** OPTIONS is for a path that does more than name its methods: the router adds the Allow header. */
  readonly method: (typeof methods)[number] | 'OPTIONS'
  /** As Hono writes it: `:name` is one segment, `:key{[^]+}` is the rest of the path. */
  readonly path: string
  readonly handler: Handler
  /** The same without Hono, for a request whose target is the path, with a query or without. */
  readonly direct?: DirectHandler
  /** The handler reads a body of so many bytes at most: see small-bodies.ts. */
  readonly bodyBytesMax?: number | undefined
}

/** The handlers of a route that is served past Hono where that is possible. */
export function directly(direct: DirectHandler): Pick<Route, 'handler' | 'direct'> {
  return {
    direct,
    handler: async ({ env }) => {
      await direct(env.incoming, env.outgoing)
      return RESPONSE_ALREADY_SENT
    },
  }
}

export type Router = Hono<Env>

/** No middleware: Hono then calls a handler directly, and every answer comes from reply.ts. */
export function createRouter(routes: readonly Route[], log: Logger, random = Math.random): Router {
  const router: Router = new Hono<Env>()
  for (const { method, path, handler } of routes) {
    router.on(method, path, method === 'OPTIONS' ? withAllow(router, handler) : handler)
  }
  router.onError((error, { env }) => {
    const { incoming: request } = (env ?? {}) as Partial<HttpBindings> // a test may call without
    return toResponse(refusalOf(error, log, random, { request }))
  })
  router.notFound((c) => {
    const allowed = methodsAt(router, c.req.path)
    if (allowed.length === 0) return problem('not_found')
    const headers = { Allow: allowHeader(allowed) }
    return c.req.method === 'OPTIONS' ? reply(204, null, headers) : problem('method_not_allowed', { headers })
  })
  return router
}

/** Whether a request is for a route whose path has no parameters. Who answers GET answers HEAD (RFC 9110, 9.3.2). */
export function isFor({ method, url = '' }: IncomingMessage, route: Pick<Route, 'method' | 'path'>): boolean {
  const { path } = route
  if (method !== route.method && !(method === 'HEAD' && route.method === 'GET')) return false
  return url.startsWith(path) && (url.length === path.length || url[path.length] === '?')
}

/** The literal segments of all paths. */
export function wordsOf(routes: readonly Route[]): Set<string> {
  const segments = routes.flatMap(({ path }) => path.split('/'))
  return new Set(segments.filter((segment) => /^[\w-]+$/.test(segment)))
}

function withAllow(router: Router, handler: Handler): Handler {
  return async (c) => {
    const response = await handler(c)
    response.headers.set('Allow', allowHeader(methodsAt(router, c.req.path)))
    return response
  }
}

const methodsAt = ({ router }: Router, path: string) =>
  methods.filter((method) => router.match(method, path)[0].length > 0)

const allowHeader = (allowed: ReturnType<typeof methodsAt>): string =>
  [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
