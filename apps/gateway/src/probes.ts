import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createConnections } from './connections.ts'
import { healthz, type ReadyDeps, readyz } from './health.ts'
import { problem, refusalOf } from './problem.ts'
import { toResponse } from './reply.ts'
import { type HttpServer, serveHttp } from './server.ts'

/** What those who look after this gateway ask, and no publisher or reader. */
export function createProbes(deps: ReadyDeps): RequestListener {
  const app = new Hono()
  app.get('/healthz', healthz)
  app.get('/readyz', readyz(deps))
  app.onError((error) => toResponse(refusalOf(error, deps.log, Math.random)))
  app.notFound(() => problem('not_found'))
  return getRequestListener(app.fetch)
}

/** More than a few ask at a time only by mistake. */
const connectionsMax = 32

/**
 * Serves them on a port of their own: a door that is full, or a queue at it, must not make a healthy gateway look dead,
 * because it would be restarted, and everybody would come again.
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
