import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type RouteId, routes } from '@sekali/api/routes'
import type { Logger } from '@sekali/process/log'
import { hasProperHost } from '../http/host.ts'
import { problem, refusal } from '../http/problem.ts'
import { send } from '../http/reply.ts'
import { requestIdHeader, requestIdOf } from '../http/request-id.ts'
import { createRouter, type Handler, type Route } from '../http/router.ts'
import { withoutBody } from '../http/without-body.ts'
import { createConnections } from '../sockets/connections.ts'
import { type HttpServer, serveHttp } from '../sockets/server.ts'
import { healthz, type ReadyDeps, readyz } from './health.ts'

/** The handlers of the routes for load balancers and for whatever restarts this gateway. */
export function probeHandlersOf(deps: ReadyDeps) {
  const ready = { handler: readyz(deps) }
  return { readHealth: { handler: healthz }, readReadiness: ready, checkRoot: ready, checkReadiness: ready }
}

function probeRoutes(deps: ReadyDeps): readonly Route[] {
  const served: Partial<Record<RouteId, { handler: Handler }>> = probeHandlersOf(deps)
  return routes.flatMap(({ id, method, path }) => {
    const handlers = served[id]
    return handlers === undefined ? [] : [{ method, path, ...handlers }]
  })
}

/** These routes alone, for a port of their own. Any Host will do, and HTTP/1.0 needs none. */
export function createProbes(deps: ReadyDeps, log: Logger): RequestListener {
  const router = createRouter(probeRoutes(deps), log)
  router.notFound(() => problem('not_found'))
  const listen = getRequestListener(router.fetch, { autoCleanupIncoming: false })
  return withoutBody((request, response) => {
    if (!hasProperHost(request)) return send(response, refusal('bad_host'))
    request.headers.host = 'gateway' // Hono's server would refuse a request without
    if (request.url === '*') request.url = '/' // OPTIONS *
    response.setHeader(requestIdHeader, requestIdOf(request))
    void listen(request, response)
  })
}

/** More than a few connect at a time only by mistake. */
const connectionsMax = 32

/**
 * Serves them on a port of their own. A gateway that is full must not look dead: it would be restarted, and all its
 * clients would connect again.
 */
export function serveProbes(
  listener: RequestListener,
  address: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  return serveHttp(listener, {
    ...address,
    variables: 'HEALTH_HOST and HEALTH_PORT',
    headersTimeoutMs: 2_000,
    requestTimeoutMs: 2_000,
    checkEveryMs: 1_000,
    keepAliveTimeoutMs: 15_000,
    headerBytesMax: 8 * 1024,
    stalledMs: 5_000,
    drainMs: 1_000,
    connections: createConnections({ ordinaryMax: connectionsMax, tailsMax: 0 }),
  })
}
